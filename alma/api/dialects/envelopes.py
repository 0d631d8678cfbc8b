"""What stands around the data of a successful answer, and the same as a schema."""

from typing import Any

from alma.api.dialects.base import Exchange, timestamp

Schema = dict[str, Any]


def bare(data: Any, exchange: Exchange) -> Any:
    """The data itself; a message alone is an object with it."""
    return data if exchange.message is None else {**(data or {}), "message": exchange.message}


def success_data(data: Any, exchange: Exchange) -> dict[str, Any]:
    """`{success, data}` of alumia-api.txt."""
    return {"success": True, "data": bare(data, exchange)}


def success_data_schema(data: Schema | None) -> Schema:
    """Its schema."""
    said = data or _object(message={"type": "string"})
    return _object(success=_TRUE, data=said)


def success_data_meta(data: Any, exchange: Exchange) -> dict[str, Any]:
    """`{success, data, meta}` of proxmox-ai-api.txt; a message alone stands in the place of the data."""
    body: dict[str, Any] = {"success": True}
    if data is not None or exchange.message is None:
        body["data"] = data
    if exchange.message is not None:
        body["message"] = exchange.message
    body["meta"] = {**meta(exchange.request_id), **exchange.meta}
    if exchange.milliseconds is not None:
        body["meta"]["execution_time_ms"] = exchange.milliseconds
    return body


def meta(request_id: str) -> dict[str, Any]:
    """What proxmox-ai-api.txt tells of every exchange."""
    return {"request_id": request_id, "timestamp": timestamp()}


def success_data_meta_schema(data: Schema | None) -> Schema:
    """Its schema."""
    said = {"message": {"type": "string"}} if data is None else {"data": data}
    return _object(success=_TRUE, **said, meta=_META)


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}


_TRUE: Schema = {"type": "boolean", "const": True}
_META = _object(request_id={"type": "string"}, timestamp={"type": "string", "format": "date-time"})
