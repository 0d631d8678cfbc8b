"""The dialects. Where two documents disagree, docs/api.md says how it is settled."""

from dataclasses import replace

from alma.api.dialects import envelopes, faults, names, pages
from alma.api.dialects.base import RATE_HEADERS, Dialect
from alma.api.dialects.ids import Integers, Names, Prefixed, Uuids
from alma.errors import Invalid, NotAuthenticated, PaymentRequired, Unavailable, WrongState

# The alma document knows neither 401 nor 409: a missing key is 403, a wrong state 400.
ALMA = Dialect(
    name="alma",
    error_model=faults.ErrorBody,
    fault_body=faults.detail,
    envelope=envelopes.bare,
    envelope_schema=None,
    page_style=pages.SKIP,
    ids=Integers(),
    statuses={NotAuthenticated: 403, WrongState: 400},
)

# Its table of codes is complete, so the code follows from the status alone.
ALUMIA = Dialect(
    name="alumia",
    error_model=faults.AlumiaErrorBody,
    fault_body=faults.error_object,
    envelope=envelopes.success_data,
    envelope_schema=envelopes.success_data_schema,
    page_style=pages.NUMBERED,
    ids=Uuids(),
    requires_length=True,
    statuses={Unavailable: 503},
    codes=names.ALUMIA_CODES,
)

PROXMOX = Dialect(
    name="proxmox",
    error_model=faults.ProxmoxErrorBody,
    fault_body=faults.error_object_meta,
    envelope=envelopes.success_data_meta,
    envelope_schema=envelopes.success_data_meta_schema,
    page_style=pages.COUNTED,
    ids=Prefixed(),
    headers={"API-Version": "v1"},
    rate_header_names=(*RATE_HEADERS, "X-RateLimit-Window"),
    statuses={Unavailable: 503, PaymentRequired: 403},
    codes=names.PROXMOX_CODES,
    names=names.PROXMOX_NAMES,
)

# Neither llamactl document knows 402 or 422: what is wrong with a body is 400 whatever the reason.
LLAMACTL_OLD = Dialect(
    name="llamactl-old",
    error_model=faults.LlamactlOldErrorBody,
    fault_body=faults.error_code_details,
    envelope=envelopes.bare,
    envelope_schema=None,
    page_style=pages.WHOLE,
    ids=Names(),
    statuses={Invalid: 400, PaymentRequired: 403, Unavailable: 503},
    names=names.LLAMACTL_NAMES,
)

LLAMACTL = replace(
    LLAMACTL_OLD,
    name="llamactl",
    error_model=faults.LlamactlErrorBody,
    fault_body=faults.error_text,
    has_unix_times=True,
)

OPENAI = replace(
    LLAMACTL,
    name="openai",
    error_model=faults.OpenAIErrorBody,
    fault_body=faults.openai_error,
    statuses={Invalid: 400, PaymentRequired: 429, Unavailable: 503},
    names=names.OPENAI_NAMES,
)

# What Anthropic's clients read; to them a quota that is used up is a limit like any other.
ANTHROPIC = Dialect(
    name="anthropic",
    error_model=faults.AnthropicErrorBody,
    fault_body=faults.anthropic_error,
    envelope=envelopes.bare,
    envelope_schema=None,
    page_style=pages.WHOLE,
    ids=Names(),
    statuses={Invalid: 400, PaymentRequired: 429, Unavailable: 503},
)

DIALECTS = (ALMA, ALUMIA, PROXMOX, LLAMACTL_OLD, LLAMACTL, OPENAI, ANTHROPIC)
