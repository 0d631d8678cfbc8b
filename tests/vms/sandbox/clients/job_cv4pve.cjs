// @corsinvest/cv4pve-api-javascript: sign in, make a machine from JSON bodies, start and remove it.
const { PveClient } = require("@corsinvest/cv4pve-api-javascript");

async function main() {
  const client = new PveClient("localhost", Number(process.env.PVE_PORT));
  if (!(await client.login("root", process.env.PVE_PASSWORD, "pam"))) throw new Error("not signed in");
  const done = async (result) => {
    if (!result.isSuccessStatusCode) throw new Error(result.reasonPhrase);
    const upid = result.response.data;
    for (;;) {
      const status = (await client.nodes.get(upid.split(":")[1]).tasks.get(upid).status.readTaskStatus()).response.data;
      if (status.status === "stopped") return status.exitstatus;
    }
  };
  const vmid = (await client.cluster.nextid.nextid()).response.data;
  const qemu = client.nodes.get("pve2").qemu;
  const post = (path, body) => client.create(`/nodes/pve2/qemu${path}`, body);
  const ends = [await done(await post("", { vmid: Number(vmid), name: "cv4pve", cores: 2, scsi0: "local-lvm:4", onboot: true }))];
  ends.push(await done(await post(`/${vmid}/status/start`, {})));
  const config = (await qemu.get(vmid).config.vmConfig()).response.data;
  const refused = await post("", { vmid: Number(vmid) });
  ends.push(await done(await post(`/${vmid}/status/stop`, {})));
  ends.push(await done(await client.delete(`/nodes/pve2/qemu/${vmid}`)));
  const cluster = (await client.cluster.status.getStatus()).response.data[0].name;
  console.log(JSON.stringify({ ends, name: config.name, onboot: config.onboot, refused: refused.reasonPhrase, cluster }));
}

main().catch((error) => { console.error(error); process.exit(1); });
