"""Slips that are made in derivations, each a change of a formula, applied wherever it applies.

The proof must refute every formula that a slip makes of a right one; what share it refutes is its mutation
score.  `line_mutations` has the slips that are made in the lines of numpy.
"""

from __future__ import annotations

from dataclasses import replace

from coursework.backprop.changes import (
    Slip,
    SlopeOfZ,
    as_kind,
    bound_by,
    bound_for_free,
    denominator,
    free_for_bound,
    into_the_product,
    is_one,
    moved,
    other_function,
    out_of_the_product,
    own_left_out,
    products,
    put_off,
    slope_of_the_output,
    softmax_as_sigmoid,
    split_sum,
    sums,
    symbols,
    twice,
    without,
)
from coursework.backprop.expression import Difference, Number, Product, Quotient
from coursework.backprop.functions import Negative, Same
from coursework.backprop.series import Units
from coursework.backprop.slopes import SLOPES, slope
from coursework.backprop.symbols import A, Delta, HPrime, Partial, W, X, Y, Z

SLIPS: tuple[Slip, ...] = (
    Slip("the whole has the wrong sign", lambda part: (Negative(part),), whole=True),
    Slip("target minus output", lambda d: (d.right - d.left,) if isinstance(d, Difference) else ()),
    Slip("plus for minus", lambda d: (d.left - Negative(d.right),) if isinstance(d, Difference) else ()),
    Slip("the subtrahend is missing", lambda d: (d.left,) if isinstance(d, Difference) else ()),
    Slip("the 2 of the square is kept", lambda part: (Number(2) * part,), whole=True),
    Slip("the one half is kept", lambda part: (Number(0.5) * part,), whole=True),
    Slip("h' is missing", without(HPrime)),
    Slip("w is missing", without(W)),
    Slip("delta is missing", without(Delta)),
    Slip("z is missing", without(Z, X)),
    Slip("y is missing", without(Y)),
    Slip("a derivative of the chain is missing", without(Partial)),
    Slip("h' twice", twice(HPrime)),
    Slip("w twice", twice(W)),
    Slip("delta twice", twice(Delta)),
    Slip("z twice", twice(Z, X)),
    Slip(
        "factors added",
        lambda p: (p.factors[0] - Negative(Product(p.factors[1:])),) if isinstance(p, Product) else (),
    ),
    Slip("the weight's indices swapped", symbols(W)(lambda w: (replace(w, j=w.k, k=w.j),))),
    Slip("the weight of the layer above", moved(+1, W)),
    Slip("the weight of the layer below", moved(-1, W)),
    Slip("the delta of the layer above", moved(+1, Delta)),
    Slip("the delta of the layer below", moved(-1, Delta)),
    Slip("h' of the layer above", moved(+1, HPrime)),
    Slip("h' of the layer below", moved(-1, HPrime)),
    Slip("a of the layer above", moved(+1, A)),
    Slip("a of the layer below", moved(-1, A)),
    Slip("z of the layer above", moved(+1, Z)),
    Slip("z of the layer below", moved(-1, Z)),
    Slip("a for z", as_kind(Z, A)),
    Slip("h for h'", lambda part: (Z(part.l, part.j),) if isinstance(part, HPrime) else ()),
    Slip("h' at z, not at a", lambda part: (SlopeOfZ(part.l, part.j),) if isinstance(part, HPrime) else ()),
    Slip("a for h'", lambda part: (A(part.l, part.j),) if isinstance(part, HPrime) else ()),
    Slip("delta for z", as_kind(Z, Delta)),
    Slip("z for delta", as_kind(Delta, Z)),
    Slip(
        "the derivative of one activation for that of any",
        lambda part: (slope(h, part) for h in SLOPES if isinstance(part, HPrime)),
    ),
    Slip(
        "the derivative upside down",
        lambda p: (Partial(p.bottom, p.top),) if isinstance(p, Partial) and not is_one(p) else (),
    ),
    Slip("the sum is missing", sums(lambda s: (s.body,))),
    Slip("the first term for the sum", sums(lambda s: (s.body.at(s.letter, 1),))),
    Slip("the second term for the sum", sums(lambda s: (s.body.at(s.letter, 2),))),
    Slip("the mean for the sum", sums(lambda s: (Quotient(s, replace(s, body=Number(1))),))),
    Slip("the sum stops one short", bound_by(-1)),
    Slip("the sum goes one too far", bound_by(+1)),
    Slip(
        "the sum runs over the units of the layer below",
        sums(lambda s: (replace(s, last=Units(s.last.l - 1)),) if isinstance(s.last, Units) else ()),
    ),
    Slip("a product of sums for the sum of products", sums(split_sum)),
    Slip("a fixed index for the sum's own", sums(free_for_bound)),
    Slip("the sum's index for the fixed one", sums(bound_for_free)),
    Slip("h' at the unit above", put_off),
    Slip("the product starts one early", products(lambda p: (replace(p, first=p.first - 1),))),
    Slip("the product starts one late", products(lambda p: (replace(p, first=p.first + 1),))),
    Slip("the product stops one short", products(lambda p: (replace(p, last=p.last - 1),))),
    Slip("the product goes one too far", products(lambda p: (replace(p, last=p.last + 1),))),
    Slip("z inside the product", into_the_product),
    Slip("h' once, before the product", out_of_the_product(HPrime)),
    Slip("w once, before the product", out_of_the_product(W)),
    Slip("the denominator is missing", denominator),
    Slip("the fraction upside down", lambda q: (q.under / q.over,) if isinstance(q, Quotient) else ()),
    Slip("the softmax leaves its own term out", own_left_out),
    Slip("the sigmoid for the softmax", softmax_as_sigmoid),
    Slip("another function", other_function),
    Slip("the slope of the output kept", slope_of_the_output),
    Slip("the bracket [k = j] always 1", lambda part: (Number(1),) if isinstance(part, Same) else ()),
    Slip("the bracket [k = j] always 0", lambda part: (Number(0),) if isinstance(part, Same) else ()),
)
