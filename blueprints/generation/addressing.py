"""Networks and addresses of machines: the first card, further cards, gateways, masks, and runs of addresses."""

from ipaddress import ip_interface, ip_network

from django.utils.translation import gettext as _

from blueprints.generation.facts import Card, Cause, Group
from blueprints.generation.gateways import GATEWAY
from blueprints.generation.lexicon import table
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk
from blueprints.sentences import term

_FIRST = ("vlan", "subnet", "gateway")
_ROUTING = ("firewall", "vpn", "load_balancer", "bastion")
"""What stands between networks has a card in each."""
_NEAR_CLAUSE = 12
_BESIDE = (["open"], ["slash"], ["vlan"], ["cidr"])


def vlan(walk: Walk, token: Token, groups: list[Group]) -> None:
    _place(walk, groups, "vlan", int(token.value), token)


def cidr(walk: Walk, token: Token, groups: list[Group]) -> None:
    """A subnet, or an address with its prefix."""
    try:
        interface = ip_interface(token.value)
    except ValueError:
        walk.request.warnings.append(_("%(value)s is not a subnet and was not used.") % {"value": token.value})
        return
    if interface.ip == interface.network.network_address:
        _place(walk, groups, "subnet", token.value, token)
    else:
        address(walk, token, groups)


def address(walk: Walk, token: Token, groups: list[Group]) -> None:
    label, walk.last_label = token.high if token.high == GATEWAY else walk.last_label, ""
    if label == "netmask":
        _mask(walk, token, groups)
    elif not _is_address(token.value):
        walk.request.warnings.append(_("%(value)s is not an address and was not used.") % {"value": token.value})
    elif label == GATEWAY:
        _place(walk, groups, "gateway", token.value, token)
    elif label in ("virtual_ip", "dns_server"):
        for group in groups:
            group.set("dns" if label == "dns_server" else label, token.value, walk.quote(token))
    elif not any(token.value in group.ips for group in walk.request.groups):
        group = next((g for g in groups if len(g.ips) < (g.count or 1)), groups[-1])
        group.ips.append(token.value)
        quote_also(walk, group, "ip", token)


def addresses(walk: Walk, token: Token, groups: list[Group]) -> None:
    """ "10.0.0.11 to .14": one after the other; "from .11 on" goes as far as there are machines."""
    needed = sum((group.count or 1) - len(group.ips) for group in groups) if token.high == "open" else None
    for one in token.value[:needed]:
        address(walk, token.become("ip", one), groups)


def _place(walk: Walk, groups: list[Group], name: str, value: object, token: Token) -> None:
    """On the first card that has none yet; what several share leaves alone who has one."""
    for group in groups:
        before = getattr(group, name)
        if not before or before == value or name not in group.causes:
            group.set(name, value, walk.quote(token))
        elif len(groups) == 1:
            _further(walk, group, name, value, token)


def _further(walk: Walk, group: Group, name: str, value: object, token: Token) -> None:
    """A second network: a further card, or two things that cannot both be true."""
    if any(card.get(name) == value for card in group.cards):
        return
    if name == "vlan" and not _has_several(walk, group):
        what = term((group.software or [group.role or "machine"])[0])
        walk.request.ask(
            _("The request contradicts itself: the %(what)s gets %(first)s and also %(second)s of VLAN. Which is it?")
            % {"what": what, "first": group.vlan, "second": value}
        )
        group.set(name, value, walk.quote(token))
        return
    cards = list(group.cards)
    place = _card_without(walk, cards, name)
    if place is None:
        cards.append({name: value})
    else:
        cards[place] = {**cards[place], name: value}
    group.cards = tuple(cards)
    quote_also(walk, group, name, token)


def quote_also(walk: Walk, group: Group, name: str, token: Token) -> None:
    """One more of several values: the cause is all words from the first of them on."""
    said, before = walk.quote(token), group.causes.get(name)
    if before is None or not 0 <= before.start < said.end:
        group.causes[name] = said
    else:
        group.causes[name] = Cause(" ".join(walk.text[before.start : said.end].split()), before.start, said.end)


def _card_without(walk: Walk, cards: list[Card], name: str) -> int | None:
    """The card that is spoken of, or else the first that lacks this."""
    lacking = [place for place, card in enumerate(cards) if name not in card]
    return lacking[-1 if walk.kinds_before(1) in _BESIDE else 0] if lacking else None


def _has_several(walk: Walk, group: Group) -> bool:
    """Said of cards, of what routes, or of networks in one list: "VLAN 10 and VLAN 20"."""
    if group.role in _ROUTING or group is walk.request.network or group.cards:
        return True
    words = {element.value for element in walk.elements if isinstance(element, Token) and element.kind == "word"}
    return bool(words & set(table("plain")["cards"].split())) or _is_list(walk)


def _is_list(walk: Walk) -> bool:
    """Nothing but marks and networks since the VLAN before."""
    for element in reversed(walk.elements[: walk.position]):
        if isinstance(element, Phrase):
            return False
        if element.kind == "vlan":
            return True
        if element.kind not in ("comma", "cidr", "open", "close", "label", "ip") and element.value != "and":
            return False
    return False


def _mask(walk: Walk, token: Token, groups: list[Group]) -> None:
    """ "255.255.255.0": the subnet of the address that it was said of."""
    for group in groups:
        if group.ips and not group.subnet:
            try:
                subnet = ip_network(f"{group.ips[0].split('/')[0]}/{token.value}", strict=False)
            except ValueError:
                continue
            group.set("subnet", str(subnet), walk.quote(token))


def _is_address(text: str) -> bool:
    try:
        return not ip_interface(text).ip.is_multicast and not ip_interface(text).ip.is_unspecified
    except ValueError:
        return False


def networks_of(group: Group, common: Group, addresses: list[str]) -> list[Card]:
    """The cards of one machine; addresses go to the card whose subnet they are in, the rest one to each card."""
    first = {name: value for name in _FIRST if (value := getattr(group, name) or getattr(common, name))}
    cards = [first, *(dict(card) for card in group.cards or common.cards)]
    if common.network:
        cards[0]["name"] = common.network
    for one in addresses:
        free = [card for card in cards if "ip" not in card]
        if not free:
            cards.append({"ip": one})
            continue
        next((card for card in free if _is_in(one, card.get("subnet"))), free[0])["ip"] = one
    return [card for card in cards if card]


def _is_in(address: str, subnet: object) -> bool:
    return bool(subnet) and ip_interface(address).ip in ip_network(str(subnet), strict=False)


def opens_a_clause(walk: Walk, between: list[Token]) -> bool:
    """ "…, inside (VLAN 41) one web server", "…, the LAN (VLAN 20) gets two file servers": it is about what follows."""
    here = walk.elements[walk.position]
    if not isinstance(here, Token) or here.kind not in ("vlan", "cidr"):
        return False
    before = [e for e in walk.elements[: walk.position] if isinstance(e, Token)][-_NEAR_CLAUSE:]
    opened = next((n for n in range(len(before) - 1, -1, -1) if before[n].kind in ("open", "close")), None)
    is_inside = opened is not None and before[opened].kind == "open"
    kinds = [token.kind for token in between]
    behind = kinds[kinds.index("close") + 1 :] if is_inside and "close" in kinds else kinds
    begins = _begins_a_clause(before[:opened] if is_inside else before)
    return begins and set(behind) <= {"word", "cidr"} and (is_inside or not kinds)


def _begins_a_clause(before: list[Token]) -> bool:
    """ "…, and the LAN": behind a comma or an "and" there is nothing but the name of a place."""
    named = next((t for t in reversed(before) if t.kind not in ("definite", "word", "label") and t.value != "on"), None)
    return named is not None and (named.kind == "comma" or named.value == "and")
