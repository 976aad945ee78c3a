"""sites.py - finds what can be changed in a C file, one thing at a time, by its tokens.

Comments, strings, what prints, and preprocessor lines but for the bits of page-table entries are left alone: other
constants with names are choices. A change need not compile: those that do not are not counted.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterator, List, Optional, Tuple

TOKEN = re.compile(
    r"""(?P<skip>/\*.*?\*/|//[^\n]*|\s+|^[ \t]*\#\s*define\s+(?:PTE|PROT|ARCH_PTE)\w+|^[ \t]*\#(?:\\\n|[^\n])*)
      | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<number>0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<op><<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:;,.(){}\[\]])""",
    re.S | re.M | re.X,
)

SWAPS = {
    "+": ["-"],
    "-": ["+"],
    "*": ["/"],
    "/": ["*"],
    "%": ["/"],
    "<<": [">>"],
    ">>": ["<<"],
    "&": ["|"],
    "|": ["&"],
    "^": ["&"],
    "&&": ["||"],
    "||": ["&&"],
    "==": ["!="],
    "!=": ["=="],
    "<": ["<=", ">="],
    "<=": ["<", ">"],
    ">": [">=", "<="],
    ">=": [">", "<"],
    "+=": ["-="],
    "-=": ["+="],
    "|=": ["&="],
    "&=": ["|="],
    "++": ["--"],
    "--": ["++"],
}
UNARY_TOO = ("+", "-", "*", "&")
WORDS = {"true": "false", "false": "true", "break": "", "continue": "", "MIN": "MAX", "MAX": "MIN"}
REPORTS = ("printk", "panic", "frame_bad")  # their words are for people
FAULT = "fault"  # so are its words; but to count one fault more is no mere report
NO_STATEMENT = ("return", "if", "while", "for", "do", "else", "switch", "case", "default", "goto", "struct", "enum")
KEYWORDS = ("return", "case", "sizeof", "else")


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    at: int

    @property
    def end(self) -> int:
        return self.at + len(self.text)


@dataclass(frozen=True)
class Mutant:
    file: str
    line: int
    at: int
    end: int
    put: str
    kind: str  # operator, constant, condition, statement, return, error
    before: str  # the line, stripped
    after: str

    def apply(self, text: str) -> str:
        return text[: self.at] + self.put + text[self.end :]


def tokens_of(text: str) -> List[Token]:
    found = []
    for match in TOKEN.finditer(text):
        if match.lastgroup != "skip":
            found.append(Token(str(match.lastgroup), match.group(), match.start()))
    return found


def is_operand(token: Token) -> bool:
    return token.kind in ("number", "string") or token.text in (")", "]") or (
        token.kind == "name" and token.text not in KEYWORDS
    )


def matching(tokens: List[Token], i: int) -> int:
    """The place of the parenthesis that closes the one at i."""
    depth = 0
    for j in range(i, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[j].text, 0)
        if depth == 0:
            return j
    return len(tokens) - 1


Change = Tuple[int, int, str, str]  # from, to, put, kind


def numbers(token: Token) -> Iterator[Change]:
    digits = re.match(r"(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)", token.text)
    if digits:
        octal = re.fullmatch(r"0[0-7]+", digits.group(1))
        value = int(digits.group(1), 8 if octal else 0)
        for other in (value + 1, value - 1):
            if other >= 0:
                yield token.at, token.end, f"{other}{digits.group(2)}", "constant"


def operators(tokens: List[Token], i: int) -> Iterator[Change]:
    token = tokens[i]
    if token.text in UNARY_TOO and not (i and is_operand(tokens[i - 1])):
        return
    for other in SWAPS.get(token.text, []):
        yield token.at, token.end, other, "operator"


def statement_end(tokens: List[Token], i: int) -> Optional[int]:
    """The place of the semicolon that ends a statement beginning at i; none where it holds a block."""
    depth = 0
    for j in range(i, len(tokens)):
        text = tokens[j].text
        if text in ("{", "}"):
            return None
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text, 0)
        if text == ";" and depth == 0:
            return j
    return None


def begins_statement(tokens: List[Token], i: int) -> bool:
    before = tokens[i - 1].text if i else "}"
    if before in (";", "{", "}", "else", "do"):
        return True
    if before == ":":
        return i > 1 and tokens[i - 2].kind in ("name", "number")
    return before == ")" and opens_control(tokens, i - 1)


def opens_control(tokens: List[Token], close: int) -> bool:
    depth = 0
    for j in range(close, 0, -1):
        depth += {")": 1, "(": -1}.get(tokens[j].text, 0)
        if depth == 0:
            return tokens[j - 1].text in ("if", "while", "for")
    return False


def is_expression(tokens: List[Token], i: int, end: int) -> bool:
    """True for a call, an assignment or a count; false for a declaration."""
    if tokens[i].text in ("++", "--", "*", "("):
        return True
    if tokens[i].kind != "name" or tokens[i].text in NO_STATEMENT or tokens[i].text in REPORTS:
        return False
    return i + 1 < end and tokens[i + 1].kind == "op" and tokens[i + 1].text not in ("*", ":")


def statements(tokens: List[Token], i: int) -> Iterator[Change]:
    if not begins_statement(tokens, i):
        return
    end = statement_end(tokens, i)
    if end is None:
        return
    if tokens[i].text == "return":
        yield from returns(tokens, i, end)
    elif is_expression(tokens, i, end):
        yield tokens[i].at, tokens[end].at, "", "statement"


def returns(tokens: List[Token], i: int, end: int) -> Iterator[Change]:
    if end == i + 1:
        yield tokens[i].at, tokens[end].at, "", "statement"
        return
    value = [t.text for t in tokens[i + 1 : end]]
    for other in ("0", "1"):
        if other == "1" and value[0] == FAULT:
            continue  # that is what it returns; its words are for people
        if value not in ([other], ["false"], ["true"], ["NULL"]):
            yield tokens[i].end, tokens[end].at, f" {other}", "return"


def words(tokens: List[Token], i: int) -> Iterator[Change]:
    token = tokens[i]
    if token.text in WORDS:
        yield token.at, token.end, WORDS[token.text], "statement" if not WORDS[token.text] else "constant"
    if re.fullmatch(r"E[A-Z]+", token.text) and i and tokens[i - 1].text == "-":
        yield token.at, token.end, "EIO", "error"


def changes(tokens: List[Token]) -> Iterator[Change]:
    for i, token in enumerate(tokens):
        if token.kind == "number":
            yield from numbers(token)
        elif token.kind == "op":
            yield from operators(tokens, i)
        elif token.kind == "name":
            yield from words(tokens, i)
        yield from statements(tokens, i)


def negations(tokens: List[Token]) -> Iterator[Change]:
    """Conditions of if and while, as a whole; and the ! that stands somewhere."""
    for i, token in enumerate(tokens[:-1]):
        if token.text in ("if", "while") and tokens[i + 1].text == "(":
            close = tokens[matching(tokens, i + 1)]
            yield tokens[i + 1].end, close.at, "", "condition"
        elif token.text == "!":
            yield token.at, token.end, "", "condition"


def in_report(tokens: List[Token]) -> List[Tuple[int, int]]:
    """The places of calls that print; of a call of `fault`, what it is told."""
    found = []
    for i, token in enumerate(tokens[:-1]):
        if token.text in (*REPORTS, FAULT) and tokens[i + 1].text == "(":
            begin = tokens[i + 1] if token.text == FAULT else token
            found.append((begin.at, tokens[matching(tokens, i + 1)].end))
    return found


def shown(text: str, at: int, end: int, put: str) -> Tuple[int, str, str]:
    start = text.rfind("\n", 0, at) + 1
    stop = text.find("\n", end)
    stop = len(text) if stop < 0 else stop
    squeeze = lambda s: re.sub(r"\s+", " ", s).strip()  # noqa: E731
    return text.count("\n", 0, at) + 1, squeeze(text[start:stop]), squeeze(text[start:at] + put + text[end:stop])


def mutants_of(file: str, text: str) -> List[Mutant]:
    tokens = tokens_of(text)
    reports = in_report(tokens)
    found = []
    for at, end, put, kind in [*changes(tokens), *negations(tokens)]:
        if any(a <= at < b for a, b in reports):
            continue
        if kind == "condition" and text[at:end] != "!":
            put = f"!({text[at:end]})"
        # Lines keep their numbers, which invariants print.
        put += "\n" * (text.count("\n", at, end) - put.count("\n"))
        line, before, after = shown(text, at, end, put)
        found.append(Mutant(file, line, at, end, put, kind, before, after))
    return sorted(set(found), key=lambda m: (m.at, m.end, m.put))
