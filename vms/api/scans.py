"""`/v1/security/scans` of the Proxmox AI document: scans of settings, and what they found."""

from dataclasses import replace
from typing import Annotated, Any, Literal, get_args

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body, read_query
from alma.api.dialects import PROXMOX
from alma.api.dialects.ids import no_such
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.schema import listing_of, page_parameters
from alma.jobs.gate import decided_at
from vms.api.scan_bodies import OneScan, ScanReport, ScanRow, findings_of, report_of, scan_of
from vms.models import ScanFinding, SecurityScan
from vms.scans import mending, services

SCAN_ID = OpenApiParameter("scan_id", str, OpenApiParameter.PATH, description="Like scan-001")
FINDING_ID = OpenApiParameter("finding_id", str, OpenApiParameter.PATH, description="Like finding-001")
_EXAMPLE = OpenApiExample(
    "As documented",
    request_only=True,
    value={
        "scan_type": "vulnerability",
        "targets": ["vm-001", "vm-002"],
        "scan_options": {"deep_scan": True, "include_dependencies": True},
    },
)
Kind = Literal["vulnerability", "configuration", "compliance"]
Outcome = Literal["failed", "not_assessed", "all"]
Severity = Literal["critical", "high", "medium", "low", "info"]
Target = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Word = Annotated[str, StringConstraints(max_length=40)]


class ScanOptions(BaseModel):
    """A scan that is not deep asks no guest agent and reads no snapshots, backups and devices; without dependencies the
    nodes and clusters of the guests are not judged."""

    model_config = ConfigDict(strict=True, extra="forbid")

    deep_scan: bool = True
    include_dependencies: bool = True


class ScanWish(BaseModel):
    """A scan that is wanted; without targets of every machine that the caller sees."""

    model_config = ConfigDict(strict=True, extra="forbid")

    scan_type: Kind = "vulnerability"
    targets: Annotated[list[Target], Field(max_length=services.MOST_GUESTS)] | None = None
    scan_options: ScanOptions = Field(default_factory=ScanOptions)


class ScanQuery(BaseModel):
    """Which findings of a scan are wanted."""

    severity: Severity | None = None
    outcome: Outcome = "failed"
    rule: Word = ""


PARAMETERS = [
    OpenApiParameter("severity", str, description="Only findings of this severity", enum=get_args(Severity)),
    OpenApiParameter("outcome", str, description="Broken rules, those that could not be judged, or both",
                     enum=get_args(Outcome), default="failed"),
    OpenApiParameter("rule", {"type": "string", "maxLength": 40}, description="Only findings of this rule"),
]  # fmt: skip


class Scans(Endpoint):
    """The scans of the caller's organization."""

    dialect = PROXMOX
    scopes = {"GET": services.READ, "POST": services.WRITE}

    @extend_schema(
        operation_id="security_scans_list", parameters=page_parameters(PROXMOX),
        responses={200: listing_of(PROXMOX, ScanRow, "scans")}, tags=["security"],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List scans, the latest first."""
        rows = SecurityScan.objects.visible_to(actor_of(request)).select_related("job").defer("tally").order_by("-pk")
        return Response(paginate(request, rows, scan_of, key="scans"))

    @extend_schema(
        operation_id="security_scans_create", request=ScanWish, responses={201: OneScan}, examples=[_EXAMPLE],
        tags=["security"],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Begin a scan. It reads the settings of machines, of their nodes and of their cluster, and changes nothing."""
        body, actor = read_body(ScanWish, request), actor_of(request)
        scan = services.start(
            by=actor, guests=None if body.targets is None else services.named(body.targets, by=actor),
            kind=body.scan_type, is_deep=body.scan_options.deep_scan,
            has_surroundings=body.scan_options.include_dependencies,
        )  # fmt: skip
        headers = {"Location": f"/v1/security/scans/{scan.public_id}"}
        return Response({"scan": scan_of(scan)}, status=201, headers=headers)


class Scan(Endpoint):
    """One scan."""

    dialect = PROXMOX
    scopes = {"GET": services.READ}

    @extend_schema(
        operation_id="security_scans_get", parameters=[SCAN_ID, *PARAMETERS, *page_parameters(PROXMOX)],
        responses={200: ScanReport}, tags=["security"],
    )  # fmt: skip
    def get(self, request: Request, scan_id: str) -> Response:
        """One scan: its figures, controls, what could not be assessed, and its findings page by page, the worst first."""
        scan = _find(request, scan_id)
        page = paginate(request, _wanted(scan, read_query(ScanQuery, request)), lambda row: row, key="findings")
        page = replace(page, rows=findings_of(page.rows, by=actor_of(request)))
        return Response({"scan": report_of(scan), **PROXMOX.page_style.body(page)})


class Fixed(BaseModel):
    """The job that waits until people have agreed to what mends a finding, and where they do."""

    finding_id: str
    rule: str
    vm_id: str
    job_id: str
    title: str
    ipr_id: int | None
    ipr_url: str | None


class Fixing(BaseModel):
    """What was proposed."""

    fix: Fixed


class Fix(Endpoint):
    """Mending one finding."""

    dialect = PROXMOX
    scopes = {"POST": "vm:write"}

    @extend_schema(
        operation_id="security_findings_fix", parameters=[SCAN_ID, FINDING_ID], request=None, responses={201: Fixing},
        tags=["security"],
    )  # fmt: skip
    def post(self, request: Request, scan_id: str, finding_id: str) -> Response:
        """Open an IPR that mends a finding, and does nothing else. One that ALMA cannot mend says why."""
        actor_of(request).require(services.READ)
        scan = _find(request, scan_id)
        pk = PROXMOX.ids.read("finding", finding_id)
        row = ScanFinding.objects.filter(subject__scan=scan, pk=pk).select_related("subject__scan").first()
        if row is None:
            raise no_such("finding", finding_id)
        job = mending.fix(row, by=actor_of(request))
        asked = decided_at(job.params)
        said = {
            "finding_id": PROXMOX.ids.write("finding", row.pk), "rule": row.rule, "vm_id": job.params["vm"],
            "job_id": job.public_id, "title": job.title, **asked,
        }  # fmt: skip
        return Response({"fix": said}, status=201, headers={"Location": f"/api/v1/iprs/{asked['ipr_id']}"})


def _wanted(scan: SecurityScan, query: ScanQuery) -> Any:
    """The findings that a query asks for."""
    rows = ScanFinding.objects.filter(subject__scan=scan).select_related("subject")
    if query.outcome != "all":
        rows = rows.broken() if query.outcome == "failed" else rows.not_assessed()
    if query.severity:
        rows = rows.filter(severity=query.severity)
    return rows.filter(rule=query.rule) if query.rule else rows


def _find(request: Request, scan_id: str) -> SecurityScan:
    """The scan of an id, if the actor may see it. Raises NotFound."""
    pk = PROXMOX.ids.read("scan", scan_id)
    row = SecurityScan.objects.visible_to(actor_of(request)).select_related("job").filter(pk=pk).first()
    if row is None:
        raise no_such("scan", scan_id)
    return row
