"""The examples of the Proxmox AI document about machines and places, word for word: what is asked, and what is answered."""

from typing import Any

META = {"request_id": "req_1234567890", "timestamp": "2025-07-29T12:00:00Z"}
TIMED = {**META, "execution_time_ms": 45}


def answered(data: Any, meta: Any = META) -> dict[str, Any]:
    return {"success": True, "data": data, "meta": meta}


VMS_QUERY = "status=running&environment=production&limit=25&sort=name&order=asc"
VMS = answered(
    {
        "vms": [
            {
                "id": "vm-001",
                "name": "web-server-01",
                "status": "running",
                "environment": "production",
                "cpu_cores": 4,
                "memory_mb": 8192,
                "storage_gb": 100,
                "ip_address": "192.168.1.101",
                "os_type": "ubuntu-22.04",
                "created_at": "2025-07-01T10:00:00Z",
                "updated_at": "2025-07-29T09:30:00Z",
                "tags": ["web", "nginx", "production"],
                "security": {
                    "encrypted": True,
                    "firewall_enabled": True,
                    "last_security_scan": "2025-07-28T06:00:00Z",
                    "compliance_score": 95,
                },
            }
        ],
        "pagination": {"total": 150, "limit": 25, "offset": 0, "pages": 6, "current_page": 1},
    },
    TIMED,
)
VM = answered(
    {
        "vm": {
            "id": "vm-001",
            "name": "web-server-01",
            "description": "Production web server running Nginx",
            "status": "running",
            "environment": "production",
            "configuration": {
                "cpu_cores": 4,
                "cpu_sockets": 1,
                "memory_mb": 8192,
                "storage": [
                    {"disk_id": "disk-001", "size_gb": 100, "type": "ssd", "encrypted": True, "mount_point": "/"}
                ],
                "network": [
                    {
                        "interface": "eth0",
                        "ip_address": "192.168.1.101",
                        "subnet": "192.168.1.0/24",
                        "gateway": "192.168.1.1",
                        "vlan_id": 100,
                    }
                ],
            },
            "performance": {
                "cpu_usage_percent": 25.5,
                "memory_usage_percent": 68.2,
                "disk_usage_percent": 45.8,
                "network_rx_mbps": 12.5,
                "network_tx_mbps": 8.3,
                "uptime_seconds": 2592000,
            },
            "security": {
                "encrypted": True,
                "firewall_enabled": True,
                "ssh_key_auth": True,
                "last_security_scan": "2025-07-28T06:00:00Z",
                "compliance_score": 95,
                "vulnerabilities": {"critical": 0, "high": 1, "medium": 3, "low": 5},
            },
            "backup": {
                "enabled": True,
                "schedule": "daily",
                "retention_days": 30,
                "last_backup": "2025-07-29T02:00:00Z",
                "backup_size_gb": 45.2,
            },
            "created_at": "2025-07-01T10:00:00Z",
            "updated_at": "2025-07-29T09:30:00Z",
        }
    }
)
NEW_VM = {
    "name": "app-server-01",
    "description": "Application server for microservices",
    "template": "ubuntu-22.04-secure",
    "environment": "production",
    "configuration": {
        "cpu_cores": 4,
        "memory_mb": 8192,
        "storage_gb": 100,
        "network": {"vlan_id": 100, "static_ip": "192.168.1.102"},
    },
    "security": {
        "encrypt_disk": True,
        "enable_firewall": True,
        "ssh_keys": ["ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAACAQ..."],
    },
    "tags": ["application", "microservices", "production"],
    "backup": {"enabled": True, "schedule": "daily", "retention_days": 30},
}
VM_BEGUN = answered(
    {"vm": {"id": "vm-102", "name": "app-server-01", "status": "creating", "creation_job_id": "job_create_vm_102"}}
)
SDK_VM = {"name": "test-vm", "template": "ubuntu-22.04", "cpu_cores": 2, "memory_mb": 4096}
VM_UPDATE = {
    "description": "Updated application server description",
    "configuration": {"memory_mb": 16384},
    "tags": ["application", "microservices", "production", "high-memory"],
}
STOP = {"graceful": True, "timeout_seconds": 300}
SNAPSHOT = {
    "name": "pre-deployment-snapshot",
    "description": "Snapshot before application deployment",
    "include_memory": False,
}
NETWORKS = answered(
    {
        "networks": [
            {
                "id": "net-001",
                "name": "production-vlan",
                "type": "vlan",
                "vlan_id": 100,
                "subnet": "192.168.1.0/24",
                "gateway": "192.168.1.1",
                "dns_servers": ["8.8.8.8", "8.8.4.4"],
                "dhcp_enabled": False,
                "firewall_rules": [
                    {"id": "rule-001", "action": "allow", "protocol": "tcp", "port": 22, "source": "192.168.0.0/16"}
                ],
                "created_at": "2025-07-01T10:00:00Z",
            }
        ]
    }
)
NEW_NETWORK = {
    "name": "development-vlan",
    "type": "vlan",
    "vlan_id": 200,
    "subnet": "192.168.2.0/24",
    "gateway": "192.168.2.1",
    "dns_servers": ["8.8.8.8", "8.8.4.4"],
    "dhcp_enabled": True,
    "dhcp_range": {"start": "192.168.2.100", "end": "192.168.2.200"},
}
SCAN = {
    "scan_type": "vulnerability",
    "targets": ["vm-001", "vm-002"],
    "scan_options": {"deep_scan": True, "include_dependencies": True},
}
SCAN_BEGUN = answered(
    {
        "scan": {
            "id": "scan-001",
            "type": "vulnerability",
            "status": "running",
            "started_at": "2025-07-29T12:00:00Z",
            "estimated_completion": "2025-07-29T12:15:00Z",
        }
    }
)
JOB = answered(
    {
        "job": {
            "id": "job_create_vm_102",
            "type": "vm_creation",
            "status": "running",
            "progress": 65,
            "started_at": "2025-07-29T12:00:00Z",
            "estimated_completion": "2025-07-29T12:10:00Z",
            "logs": [
                {"timestamp": "2025-07-29T12:00:00Z", "level": "info", "message": "VM creation started"},
                {"timestamp": "2025-07-29T12:02:00Z", "level": "info", "message": "Disk allocation completed"},
            ],
        }
    }
)
BACKUP = {
    "vm_id": "vm-001",
    "backup_type": "full",
    "compression": "gzip",
    "encryption": True,
    "description": "Monthly full backup",
}
WEBHOOK = {
    "url": "https://your-app.com/webhooks/proxmox-ai",
    "events": ["vm.created", "vm.status_changed"],
    "secret": "your-webhook-secret",
    "active": True,
}
HEALTH = answered(
    {
        "status": "healthy",
        "version": "1.0.0",
        "uptime_seconds": 86400,
        "components": {"database": "healthy", "proxmox": "healthy", "ai_service": "healthy"},
    },
    {"timestamp": "2025-07-29T12:00:00Z"},
)

# -- backups ---------------------------------------------------------------------------------------
BACKUP = {
    "vm_id": "vm-001",
    "backup_type": "full",
    "compression": "gzip",
    "encryption": True,
    "description": "Monthly full backup",
}
