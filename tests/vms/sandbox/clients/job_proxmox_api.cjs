// proxmox-api on npm: lists, a machine made and removed.
const { proxmoxApi } = require("proxmox-api");

async function main() {
  const api = proxmoxApi({ host: "localhost", port: Number(process.env.PVE_PORT), username: "root@pam", password: process.env.PVE_PASSWORD });
  const done = async (upid) => {
    for (;;) {
      const status = await api.nodes.$(upid.split(":")[1]).tasks.$(upid).status.$get();
      if (status.status === "stopped") return status.exitstatus;
    }
  };
  const nodes = (await api.nodes.$get()).map((row) => row.node).sort();
  const vmid = Number(await api.cluster.nextid.$get());
  const guest = api.nodes.$("pve3").qemu.$(vmid);
  const ends = [await done(await api.nodes.$("pve3").qemu.$post({ vmid, name: "npm", memory: "1024", scsi0: "local-lvm:2" }))];
  ends.push(await done(await guest.status.start.$post()));
  ends.push(await done(await guest.status.stop.$post()));
  const config = await guest.config.$get();
  ends.push(await done(await guest.$delete()));
  console.log(JSON.stringify({ nodes, ends, name: config.name, memory: config.memory }));
}

main().catch((error) => { console.error(error); process.exit(1); });
