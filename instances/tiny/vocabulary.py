"""The tokens of the tiny model: control tokens, bytes, characters, words and their beginnings, each with its bias."""

from dataclasses import dataclass

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
NEVER = -12.0
RARELY = -6.0
SPACE = "\u2581"
"""How a blank is written inside a token."""
TURN_BEGINS, TURN_ENDS, CALL_BEGINS, CALL_ENDS = "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"
_TEXT = """
a about above account across act add after again all alone along already also always among an and answer any anybody are
around as ask at away back balance base be because become been before begin behind below beside better between big blue
both bright bring build but by cable call can careful carry change check choose city clean clear close cloud cold come
common copy could count course cross daily data day dear deep deploy desk different disk do door down draw drive each
early earth easy edge eight empty end engine enough even evening ever every example fair fall family far fast few field
file find fine fire first five floor follow for forest form forward found four free fresh friend from front full garden
gate gentle give go gold good grand great green ground group grow half hand happy hard have he head hear heart heavy
help her here high hill his hold home hope hour house how idea if in inside into iron is island it join just keep key
kind know lake land large last late lay lead leaf learn leave left less let level life light like line list little live
local long look low machine main make many mark market may me mean memory metal middle might mile mind model moment
month moon more morning most mountain move much music must my name narrow near need network never new next night nine
no node none noon north not note now number of off often old on once one only open or order other our out over own page
paper part pass past path people picture place plain plan plant play point power prompt proud public pull push put
queue quick quiet quite rain raise ran reach read ready real red rest review right ring rise river road rock room root
round run safe said same sand say scale sea second see seed send serve seven shape share she ship short should show
side signal silver simple since six slow small snow so some soon sound south space speak stand star start state stay
step still stone stop storage storm story street strong such summer sun sure table take talk task tell ten than thank
that the their them then there these they thing think this those thought three through time to today token together
too top toward tower town train tree true try turn two under until up upon us use very view voice wait walk wall want
warm was watch water way we week well went west what wheel when where which while white who whole why wide will wind
window winter wire wise with wonder wood word work world would write year yellow yes yet you young your zone
"""
WORDS = _TEXT.split()


@dataclass(frozen=True)
class Token:
    """One entry of the vocabulary. The bias is what is added to its logit."""

    text: str
    score: float
    kind: int
    bias: float


def vocabulary() -> list[Token]:
    """All tokens; the position is the number of the token. `<unk>`, `<s>`, `</s>` and the turns come first."""
    tokens = {token.text: token for token in (*_control(), *_characters())}
    for token in _words():
        if token.text not in tokens or token.bias > tokens[token.text].bias:
            tokens[token.text] = token
    return list(tokens.values())


def _control() -> list[Token]:
    special = [
        Token("<unk>", 0.0, UNKNOWN, NEVER), Token("<s>", 0.0, CONTROL, NEVER), Token("</s>", 0.0, CONTROL, NEVER),
        Token(TURN_BEGINS, 0.0, CONTROL, NEVER), Token(TURN_ENDS, 0.0, CONTROL, 3.0),
        Token(CALL_BEGINS, 0.0, CONTROL, 2.0), Token(CALL_ENDS, 0.0, CONTROL, 0.0),
    ]  # fmt: skip
    return special + [Token(f"<0x{byte:02X}>", 0.0, BYTE, NEVER) for byte in range(256)]


def _characters() -> list[Token]:
    printable = [SPACE, *(chr(code) for code in range(33, 127))]
    return [Token(character, -1000.0, NORMAL, _bias(character)) for character in printable]


def _bias(character: str) -> float:
    """Full stops and commas come by themselves; quotes and brackets end what a grammar has begun."""
    usual = {'"': 2.0, ".": 0.5, ",": 0.5, "}": -2.0, "]": -2.0}
    return usual.get(character, -3.0 if character.isdigit() else RARELY)


def _words() -> list[Token]:
    """Each word with its blank, likely; and its beginnings, which only the tokenizer needs."""
    tokens = []
    for word in sorted(set(WORDS)):
        full = SPACE + word
        tokens += [Token(full[:end], end - 900.0, NORMAL, NEVER) for end in range(2, len(full))]
        tokens.append(Token(full, len(full) - 900.0, NORMAL, 0.0))
    return tokens
