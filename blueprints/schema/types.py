"""Which types of resource are machines, and which are something else."""

import re

from blueprints.schema.spec_keys import nearest

_PLAIN = "vm virtual_machine qemu kvm server machine host compute instance node vps"
_CONTAINER = "lxc container ct lxc_container system_container"
_ROLES = {
    "kubernetes": "k8s k3s kubernetes_cluster k8s_cluster k3s_cluster",
    "database": "db postgres postgresql mysql mariadb mongodb mongo mssql cassandra clickhouse database_server db_server",
    "load_balancer": "loadbalancer lb haproxy reverse_proxy proxy ingress api_gateway",
    "cache": "redis memcached valkey cache_server",
    "web": "web_server webserver website frontend nginx apache web_app",
    "app": "application app_server application_server api api_server backend service microservice",
    "queue": "message_queue message_broker broker rabbitmq kafka nats mq",
    "search": "elasticsearch opensearch solr search_engine",
    "object_storage": "minio s3 ceph",
    "files": "file_server fileserver nas nfs smb samba file_storage",
    "monitoring": "prometheus grafana zabbix metrics observability",
    "logging": "loki graylog syslog log_server",
    "ci": "jenkins runner build_server ci_cd",
    "git": "gitlab gitea forgejo git_server",
    "registry": "harbor container_registry",
    "auth": "keycloak ldap identity sso directory domain_controller",
    "secrets": "vault",
    "dns": "dns_server pihole adguard bind",
    "vpn": "wireguard openvpn vpn_server vpn_gateway",
    "bastion": "jump_host jumphost jump_server",
    "mail": "mail_server smtp email",
    "cms": "wordpress nextcloud",
    "llm": "ollama vllm inference llm_server ai model_server",
    "worker": "workers job_runner batch",
    "media": "jellyfin plex media_server",
    "cluster": "docker docker_host docker_swarm swarm nomad",
    "game": "minecraft game_server",
    "router": "gateway nat opnsense pfsense",
}
_OTHERS = {
    "network": "vlan subnet bridge vnet sdn vpc zone",
    "storage": "volume disk datastore block_storage pool",
    "backup": "backup_job backup_policy snapshot backup_plan",
    "firewall": "firewall_rule firewall_rules security_group firewall_policy",
    "dns_record": "record domain",
    "user": "group role permission acl",
}


def _table(groups: dict[str, str]) -> dict[str, str]:
    return {word: name for name, words in groups.items() for word in (name, *words.split())}


VM_TYPES = frozenset(_PLAIN.split())
LXC_TYPES = frozenset(_CONTAINER.split())
ROLE_OF_TYPE = _table(_ROLES)
OTHER_TYPES = _table(_OTHERS)


def normal(type_name: str) -> str:
    """Load-Balancer -> load_balancer."""
    return re.sub(r"[\s.-]+", "_", type_name.strip().lower())


def is_machine(type_name: str) -> bool:
    """Whether a hypervisor has something to create for it."""
    name = normal(type_name)
    return name in VM_TYPES or name in LXC_TYPES or name in ROLE_OF_TYPE


def why_unsupported(type_name: str) -> str:
    """A sentence about a type that is no machine."""
    if group := OTHER_TYPES.get(normal(type_name)):
        return f'A resource of type "{type_name}" describes {_PURPOSE[group]} and is not created as a machine.'
    near = nearest(normal(type_name), set(VM_TYPES | LXC_TYPES | set(ROLE_OF_TYPE)))
    return f'The type "{type_name}" is not known' + (f'; did you mean "{near}"?' if near else '; use "vm" or "lxc".')


_PURPOSE = {
    "network": "a network",
    "storage": "storage",
    "backup": "backups",
    "firewall": "firewall rules",
    "dns_record": "a name",
    "user": "access rights",
}
