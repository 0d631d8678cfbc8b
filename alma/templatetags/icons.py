"""The icons, as the inside of a 16 by 16 SVG drawn with a stroke of the current colour."""

_RING = '<circle cx="8" cy="8" r="6.25"/>'
_DISC = '<circle class="fill" cx="8" cy="8" r="7"/>'

ICONS: dict[str, str] = {
    # navigation
    "home": '<path d="M2.5 7.2 8 2.6l5.5 4.6v5.6a.7.7 0 0 1-.7.7H9.8V9.6H6.2v3.9h-3a.7.7 0 0 1-.7-.7z"/>',
    "review": '<circle cx="4" cy="3.9" r="1.6"/><circle cx="4" cy="12.1" r="1.6"/><path d="M4 5.5v5"/>'
    '<path d="M12 10.5V6.2a2 2 0 0 0-2-2H7.6M9.4 2.4 7.6 4.2 9.4 6"/><circle cx="12" cy="12.1" r="1.6"/>',
    "activity": '<path d="M1.6 8.4h2.9l2-5.2 3 9.6 2.1-4.4h2.8"/>',
    "list": '<path d="M5.8 4h7.7M5.8 8h7.7M5.8 12h7.7"/><path d="M2.6 4h.01M2.6 8h.01M2.6 12h.01" stroke-width="2"/>',
    "jobs": '<circle class="track" cx="8" cy="8" r="6.1"/><path d="M8 1.9A6.1 6.1 0 1 1 2 9"/><path class="fill" d="M6.6 5.5v5L10.7 8z"/>',
    "deploy": '<path d="M6 10 4.2 9.2C5.6 5.2 8.6 2.7 13.3 2.7c0 4.7-2.5 7.7-6.5 9.1z"/><circle cx="9.6" cy="6.4" r="1.1"/>'
    '<path d="M4.2 11.2c-1 .5-1.5 1.2-1.5 2.1.9 0 1.6-.5 2.1-1.5"/>',
    "blueprint": '<path d="m8 2.3 5.9 3L8 8.4 2.1 5.3z"/><path d="M2.1 8 8 11l5.9-3M2.1 10.7 8 13.7l5.9-3"/>',
    "vm": '<rect x="2.2" y="2.6" width="11.6" height="4.5" rx="1.1"/><rect x="2.2" y="8.9" width="11.6" height="4.5" rx="1.1"/>'
    '<path d="M4.8 4.85h.01M4.8 11.15h.01" stroke-width="2"/><path d="M8.5 4.85h2.8M8.5 11.15h2.8"/>',
    "cluster": '<rect x="5.9" y="2" width="4.2" height="3.6" rx=".9"/><rect x="1.8" y="10.4" width="4.2" height="3.6" rx=".9"/>'
    '<rect x="10" y="10.4" width="4.2" height="3.6" rx=".9"/><path d="M8 5.6V8M3.9 10.4V8h8.2v2.4"/>',
    "book": '<path d="M8 4.2C6.6 3 4.6 2.7 2.3 2.8v9.6c2.3-.1 4.3.2 5.7 1.4 1.4-1.2 3.4-1.5 5.7-1.4V2.8C11.4 2.7 9.4 3 8 4.2zM8 4.2v9.6"/>',
    "shield": '<path d="M8 1.9 13.2 4v3.9c0 3-2 5.2-5.2 6.3-3.2-1.1-5.2-3.3-5.2-6.3V4z"/>',
    "gear": '<circle cx="8" cy="8" r="2.1"/><path d="M8 1.9v1.8M8 12.3v1.8M1.9 8h1.8M12.3 8h1.8M3.7 3.7 5 5M11 11l1.3 1.3'
    'M3.7 12.3 5 11M11 5l1.3-1.3"/>',
    "menu": '<path d="M2.4 4.2h11.2M2.4 8h11.2M2.4 11.8h11.2"/>',
    "search": '<circle cx="7" cy="7" r="4.4"/><path d="m10.3 10.3 3.4 3.4"/>',
    "filter": '<path d="M2.2 3.6h11.6M4.4 8h7.2M6.6 12.4h2.8"/>',
    "external": '<path d="M9.4 2.6h4v4M13.2 2.8 7.6 8.4M11.6 9.4v3.4a.8.8 0 0 1-.8.8H3.2a.8.8 0 0 1-.8-.8V5.2a.8.8 0 0 1 .8-.8h3.4"/>',
    "chevron-down": '<path d="m4 6.2 4 4 4-4"/>',
    "chevron-right": '<path d="m6.2 4 4 4-4 4"/>',
    "chevron-left": '<path d="m9.8 4-4 4 4 4"/>',
    "arrow-right": '<path d="M2.8 8h10.2M9.2 4.2 13 8l-3.8 3.8"/>',
    "arrow-down": '<path d="M8 2.8V13M4.2 9.2 8 13l3.8-3.8"/>',
    "arrow-up": '<path d="M8 13.2V3M4.2 6.8 8 3l3.8 3.8"/>',
    "dots": '<path d="M3.4 8h.01M8 8h.01M12.6 8h.01" stroke-width="2.2"/>',
    # people and settings
    "user": '<circle cx="8" cy="5.3" r="2.8"/><path d="M2.8 13.6c.5-2.8 2.5-4.2 5.2-4.2s4.7 1.4 5.2 4.2"/>',
    "sign-out": '<path d="M6.2 13.4H3.6a1 1 0 0 1-1-1V3.6a1 1 0 0 1 1-1h2.6M10.4 11l3-3-3-3M13.2 8H6.4"/>',
    "sun": '<circle cx="8" cy="8" r="2.7"/><path d="M8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1'
    'M3.4 12.6l1-1M11.6 4.4l1-1"/>',
    "moon": '<path d="M13.4 9.6A5.8 5.8 0 0 1 6.4 2.6a5.8 5.8 0 1 0 7 7z"/>',
    "monitor": '<rect x="1.9" y="2.6" width="12.2" height="8.2" rx="1.2"/><path d="M5.4 13.5h5.2M8 10.8v2.7"/>',
    "keyboard": '<rect x="1.6" y="4" width="12.8" height="8" rx="1.3"/><path d="M4.2 6.7h.01M6.7 6.7h.01M9.3 6.7h.01M11.8 6.7h.01" '
    'stroke-width="1.7"/><path d="M5 9.6h6"/>',
    "key": '<circle cx="5.2" cy="10.8" r="2.9"/><path d="m7.3 8.7 5.9-5.9M10.6 5.4l2 2"/>',
    "lock": '<rect x="3" y="7" width="10" height="6.6" rx="1.2"/><path d="M5.2 7V5.1a2.8 2.8 0 0 1 5.6 0V7"/>',
    "chat": '<path d="M2.2 4.1c0-.8.6-1.4 1.4-1.4h8.8c.8 0 1.4.6 1.4 1.4v5.6c0 .8-.6 1.4-1.4 1.4H7.2L4 13.7v-2.6h-.4c-.8 0-1.4-.6-1.4-1.4z"/>',
    "sparkle": '<path d="M7 2.4c.4 3 1.6 4.2 4.6 4.6-3 .4-4.2 1.6-4.6 4.6C6.6 8.6 5.4 7.4 2.4 7c3-.4 4.2-1.6 4.6-4.6zM12.4 10.4c.2 1.3.7 1.8 2 2-1.3.2-1.8.7-2 2-.2-1.3-.7-1.8-2-2 1.3-.2 1.8-.7 2-2z"/>',
    # actions
    "plus": '<path d="M8 3v10M3 8h10"/>',
    "minus": '<path d="M3 8h10"/>',
    "check": '<path d="m3 8.6 3.3 3.2L13 4.6"/>',
    "x": '<path d="m3.8 3.8 8.4 8.4M12.2 3.8l-8.4 8.4"/>',
    "copy": '<rect x="5.4" y="5.4" width="8" height="8" rx="1.3"/><path d="M10.6 5.2V3.8c0-.7-.6-1.2-1.2-1.2H3.8c-.7 0-1.2.5-1.2 1.2v5.6c0 .7.5 1.2 1.2 1.2h1.4"/>',
    "refresh": '<path d="M13.4 6.6A5.6 5.6 0 0 0 3.2 5.2M2.6 9.4a5.6 5.6 0 0 0 10.2 1.4"/><path d="M13.6 2.8v3.9H9.8M2.4 13.2V9.3h3.8"/>',
    "undo": '<path d="M5.6 3 2.6 6l3 3"/><path d="M2.8 6h6.4a4 4 0 0 1 0 8H6.4"/>',
    "trash": '<path d="M2.6 4.4h10.8M6 4.2V2.6h4v1.6M4 4.6l.6 8.2c0 .5.4.8.8.8h5.2c.4 0 .8-.3.8-.8l.6-8.2M6.7 7v4M9.3 7v4"/>',
    "pencil": '<path d="m9.6 4 2.4 2.4M3 13l.6-2.9 7.2-7.2a1.2 1.2 0 0 1 1.7 0l.6.6c.5.5.5 1.2 0 1.7L5.9 12.4z"/>',
    "eye": '<path d="M1.6 8S4 3.6 8 3.6 14.4 8 14.4 8 12 12.4 8 12.4 1.6 8 1.6 8z"/><circle cx="8" cy="8" r="1.9"/>',
    "play": '<path d="M4.6 3.2v9.6L12.6 8z"/>',
    "pause": '<path d="M5.4 3.4v9.2M10.6 3.4v9.2" stroke-width="2"/>',
    "stop": '<rect x="3.8" y="3.8" width="8.4" height="8.4" rx="1.2"/>',
    "download": '<path d="M8 2.4v7.4M4.8 6.8 8 10l3.2-3.2M2.6 12.2v1.2h10.8v-1.2"/>',
    "link": '<path d="M6.6 9.4a2.7 2.7 0 0 0 3.8 0l2.2-2.2a2.7 2.7 0 0 0-3.8-3.8l-.8.8M9.4 6.6a2.7 2.7 0 0 0-3.8 0L3.4 8.8a2.7 2.7 0 0 0 3.8 3.8l.8-.8"/>',
    "terminal": '<rect x="1.8" y="2.6" width="12.4" height="10.8" rx="1.4"/><path d="m4.6 6 2 2-2 2M8.4 10.2h2.8"/>',
    "code": '<path d="M5.2 4.4 1.8 8l3.4 3.6M10.8 4.4 14.2 8l-3.4 3.6"/>',
    # things
    "cpu": '<rect x="4" y="4" width="8" height="8" rx="1.2"/><rect x="6.6" y="6.6" width="2.8" height="2.8" rx=".4"/>'
    '<path d="M6.2 1.8V4M9.8 1.8V4M6.2 12v2.2M9.8 12v2.2M1.8 6.2H4M1.8 9.8H4M12 6.2h2.2M12 9.8h2.2"/>',
    "memory": '<rect x="1.6" y="4.4" width="12.8" height="6.4" rx="1"/><path d="M4.6 6.8v1.6M8 6.8v1.6M11.4 6.8v1.6M4 10.8v2M8 10.8v2M12 10.8v2"/>',
    "disk": '<ellipse cx="8" cy="4" rx="5.4" ry="1.9"/><path d="M2.6 4v8c0 1 2.4 1.9 5.4 1.9s5.4-.9 5.4-1.9V4M2.6 8c0 1 2.4 1.9 5.4 1.9s5.4-.9 5.4-1.9"/>',
    "network": '<circle cx="8" cy="8" r="6.1"/><path d="M1.9 8h12.2M8 1.9c1.8 1.7 2.6 3.8 2.6 6.1S9.8 12.4 8 14.1C6.2 12.4 5.4 10.3 5.4 8S6.2 3.6 8 1.9z"/>',
    "clock": '<circle cx="8" cy="8" r="6.1"/><path d="M8 4.6V8l2.3 1.5"/>',
    "bolt": '<path d="M8.8 1.8 3.4 9h3.8l-.6 5.2L12.6 7H8.4z"/>',
    "inbox": '<path d="M2 9.2 4 3.6c.2-.5.6-.8 1.1-.8h5.8c.5 0 .9.3 1.1.8l2 5.6v3.2c0 .6-.5 1.1-1.1 1.1H3.1c-.6 0-1.1-.5-1.1-1.1z"/><path d="M2.2 9.2h3.2l.9 1.8h3.4l.9-1.8h3.2"/>',
    "flag": '<path d="M3.4 14V2.6M3.4 3c3-1.6 5.2 1.6 9 0v6.2c-3.8 1.6-6-1.6-9 0"/>',
    # notices and states: each state has a shape of its own
    "info": _RING + '<path d="M8 7.4v3.4"/><path d="M8 5.1h.01" stroke-width="1.9"/>',
    "alert": '<path d="M8 2.2 14.5 13.4H1.5z"/><path d="M8 6.5v3"/><path d="M8 11.5h.01" stroke-width="1.8"/>',
    "question": _RING
    + '<path d="M6.3 6.3a1.8 1.8 0 1 1 2.5 1.7c-.5.2-.8.6-.8 1.1"/><path d="M8 11.1h.01" stroke-width="1.8"/>',
    "ring": _RING,
    "ring-dashed": '<circle cx="8" cy="8" r="6.25" stroke-dasharray="2.6 2.3"/>',
    "ring-dot": _RING + '<circle class="fill" cx="8" cy="8" r="2.4"/>',
    "ring-check": _RING + '<path d="m5.3 8.3 1.9 1.8 3.5-3.9"/>',
    "ring-minus": _RING + '<path d="M5.3 8h5.4"/>',
    "ring-slash": _RING + '<path d="m3.7 12.3 8.6-8.6"/>',
    "ring-pause": _RING + '<path d="M6.5 5.9v4.2M9.5 5.9v4.2"/>',
    "ring-half": _RING + '<path class="fill" d="M8 3.4a4.6 4.6 0 0 1 0 9.2z"/>',
    "disc-check": _DISC + '<path class="ink" d="m4.9 8.3 2.2 2.1 4-4.5"/>',
    "disc-x": _DISC + '<path class="ink" d="m5.5 5.5 5 5M10.5 5.5l-5 5"/>',
    "disc-up": _DISC + '<path class="ink" d="M8 11.3V5M5.2 7.6 8 4.8l2.8 2.8"/>',
    "octagon-x": '<path d="M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4z"/><path d="m5.8 5.8 4.4 4.4M10.2 5.8l-4.4 4.4"/>',
    "square": '<rect x="3" y="3" width="10" height="10" rx="1.8"/>',
    "diamond": '<path d="M8 1.9 14.1 8 8 14.1 1.9 8z"/>',
    "spinner": '<circle class="track" cx="8" cy="8" r="6.1"/><path class="arc" d="M8 1.9A6.1 6.1 0 0 1 14.1 8"/>',
    "hourglass": '<path d="M4 2.2h8M4 13.8h8M4.8 2.4c0 3 1.4 3.8 3.2 5.6 1.8-1.8 3.2-2.6 3.2-5.6M4.8 13.6c0-3 1.4-3.8 3.2-5.6 1.8 1.8 3.2 2.6 3.2 5.6"/>',
}
