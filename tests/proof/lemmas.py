#!/usr/bin/env python3
"""lemmas.py - proves the lemmas on bits that contracts rest on, by CVC4's theory of bit vectors. For prove.py.

WP sees numbers without end, where `x & 511` and `x % 512` have little to do with each other; to a prover of bit vectors
both are wires. So what WP lacks stands in the proof headers as
    admit lemma NAME: \forall integer x, y; HYPOTHESIS ==> CLAIM;
and is proved here, with words so wide that nothing wraps: that nothing does is part of each proof, and that the
hypothesis keeps each variable below 2^64.
"""
from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from typing import Iterator, List, NamedTuple, Tuple

WIDTH = 96
LEMMA = re.compile(r"admit lemma (\w+):\s*\\forall integer ([\w, ]+);(.*?)==>(.*?);", re.S)
WORDS = {
    ast.BitAnd: "bvand", ast.BitOr: "bvor", ast.BitXor: "bvxor", ast.LShift: "bvshl", ast.RShift: "bvlshr",
    ast.Add: "bvadd", ast.Sub: "bvsub", ast.Mult: "bvmul", ast.Div: "bvudiv", ast.Mod: "bvurem",
}  # fmt: skip
RELATIONS = {ast.Lt: "bvult", ast.LtE: "bvule", ast.Gt: "bvugt", ast.GtE: "bvuge", ast.Eq: "=", ast.NotEq: "distinct"}


class Lemma(NamedTuple):
    name: str
    variables: List[str]
    hypothesis: str
    claim: str


class Translation:
    """C's expressions as SMT-LIB's; `exact` collects what must hold for words to be as good as numbers."""

    def __init__(self) -> None:
        self.exact: List[str] = []

    def of(self, text: str) -> str:
        python = re.sub(r"\s+", " ", text.replace("<==>", "==").replace("&&", " and ").replace("||", " or ")).strip()
        return self.node(ast.parse(python, mode="eval").body)

    def node(self, node: ast.AST) -> str:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Constant):
            return f"(_ bv{node.value} {WIDTH})"
        if isinstance(node, ast.BoolOp):
            word = "and" if isinstance(node.op, ast.And) else "or"
            return f"({word} {' '.join(map(self.node, node.values))})"
        if isinstance(node, ast.Compare):
            terms = [self.node(term) for term in (node.left, *node.comparators)]
            parts = [f"({RELATIONS[type(op)]} {a} {b})" for op, a, b in zip(node.ops, terms, terms[1:])]
            return f"(and {' '.join(parts)})" if len(parts) > 1 else parts[0]
        if isinstance(node, ast.BinOp):
            return self.operation(node)
        raise ValueError(f"no bits in {ast.dump(node)}")

    def operation(self, node: ast.BinOp) -> str:
        a, b = self.node(node.left), self.node(node.right)
        result = f"({WORDS[type(node.op)]} {a} {b})"
        exact = {
            ast.LShift: f"(= (bvlshr {result} {b}) {a})",
            ast.Add: f"(bvuge {result} {a})",
            ast.Sub: f"(bvuge {a} {b})",
            ast.Mult: f"(= (bvudiv {result} {b}) {a})",
        }.get(type(node.op))
        if isinstance(node.op, (ast.Div, ast.Mod)):
            assert isinstance(node.right, ast.Constant) and node.right.value > 0
        if exact:
            self.exact.append(exact)
        return result


def lemmas(path: Path) -> Iterator[Lemma]:
    """Yields what a file admits; nothing of it may escape the proof."""
    text = path.read_text(encoding="utf-8")
    found = LEMMA.findall(text)
    assert len(found) == len(re.findall(r"\b(?:admit|axiom|axiomatic)\b", text)), f"{path}: not all read"
    for name, variables, hypothesis, claim in found:
        for arrow in re.finditer("<==>", claim):  # it binds less than ==> does
            before = claim[: arrow.start()]
            assert before.count("(") > before.count(")"), f"{path}: {name}: no parentheses around <==>"
        yield Lemma(name, [v.strip() for v in variables.split(",")], hypothesis, claim)


def script(lemma: Lemma) -> str:
    given, claimed = Translation(), Translation()
    hypothesis, claim = given.of(lemma.hypothesis), claimed.of(lemma.claim)
    assert not given.exact, f"{lemma.name}: arithmetic in a hypothesis"
    bounds = [f"(bvult {v} (_ bv{1 << 64} {WIDTH}))" for v in lemma.variables]
    lines = ["(set-logic QF_BV)"]
    lines += [f"(declare-const {v} (_ BitVec {WIDTH}))" for v in lemma.variables]
    wanted = " ".join([claim, *claimed.exact, *bounds])
    return "\n".join([*lines, f"(assert {hypothesis})", f"(assert (not (and {wanted})))", "(check-sat)"])


def prove(lemma: Lemma, seconds: int = 20) -> Tuple[bool, str]:
    run = subprocess.run(
        ["cvc4", "--lang", "smt2", f"--tlimit={seconds * 1000}", "-"],
        input=script(lemma), capture_output=True, text=True,
    )  # fmt: skip
    answer = (run.stdout + run.stderr).strip().replace("\n", " ")
    return answer == "unsat", answer
