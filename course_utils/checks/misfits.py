"""PyTorch's and Python's commonest errors in plain words: what does not fit, with its sizes."""

import re

from course_utils.checks.words import say

MISFITS = {  # what the message looks like → its sentence in common.toml; the groups fill it in
    r"mat1 and mat2 shapes cannot be multiplied \((?P<rows>\d+)x(?P<one>\d+) and (?P<two>\d+)x": "misfit.product",
    r"size for first two dimensions of batch2 tensor to be: \[\d+, (?P<one>\d+)\] but got: \[\d+, (?P<two>\d+)\]": (
        "misfit.product"
    ),
    r"size mismatch, got input \(\d+\), mat \(\d+x(?P<one>\d+)\), vec \((?P<two>\d+)\)": "misfit.product",
    r"size of tensor a \((?P<one>\d+)\) must match the size of tensor b \((?P<two>\d+)\) at non-singleton dimension": (
        "misfit.element-wise"
    ),
    r"The expanded size of the tensor \((?P<one>-?\d+)\) must match the existing size \((?P<two>\d+)\)": (
        "misfit.element-wise"
    ),
    r"Expected input batch_size \((?P<one>\d+)\) to match target batch_size \((?P<two>\d+)\)": "misfit.element-wise",
    r"broadcast input array|inconsistent input_size|attn_mask is .* but should be|does not match (value|the) shape|"
    r"match the broadcast shape|not broadcastable|shape mismatch|must be broadcastable|inconsistent tensor size|"
    r"could not be broadcast|must have the same (size|shape|number of elements)|incompatible .*shape": "misfit.shapes",
    r"Dimension out of range .*range of \[(?P<low>-?\d+), (?P<high>-?\d+)\], but got (?P<axis>-?\d+)": "misfit.axis",
    r"index (?P<index>-?\d+) is out of bounds for dimension \d+ with size (?P<size>\d+)": "misfit.index",
    r"shape '(?P<shape>[^']*)' is invalid for input of size (?P<count>\d+)": "misfit.reshape",
    r"einsum": "misfit.einsum",
    r"Sizes of tensors must match except in dimension": "misfit.join",
    r"stack expects each tensor to be equal size": "misfit.join",
    r"unflatten: Provided sizes|don't multiply up to": "misfit.unflatten",
    r"0-d tensor|multi-target not supported|at least \d dimensional|smaller than number of dimensions|"
    r"must be 0-dim or 1-dim|zero-dimensional": "misfit.axes",
    r"too many indices|expects a tensor with <= \d|to be at least \dD|must be a \dD tensor|same number of dimensions": (
        "misfit.axes"
    ),
    r"non-empty TensorList": "misfit.nothing",
    r"elements cannot be converted to Scalar": "misfit.single",
    r"more than one value is ambiguous|only (one|integer) .*(can be converted)": "misfit.single",
    r"duplicate dims|repeated dim": "misfit.twice",
    r"(too many|not enough) values to unpack": "misfit.unpack",
    r"a (leaf|view of a leaf) Variable that requires grad": "misfit.leaf",
    r"cannot assign '.*' as parameter '(?P<name>\w+)'": "misfit.parameter",
    r"view size is not compatible with input tensor's size and stride": "misfit.view",
    r"unhashable type: '(?P<kind>list|dict|set)'": "misfit.unhashable",
    r"object has no attribute '(?P<name>\w+)'": "misfit.attribute",
    r"object is not callable": "misfit.called",
    r"object is not (iterable|subscriptable)|cannot unpack non-iterable|does not support item assignment": (
        "misfit.container"
    ),
    r"has no len\(\)": "misfit.container",
    r"takes .* but .* given|missing \d+ required|takes no arguments|unexpected keyword": "misfit.arguments",
    r"received an invalid combination of arguments": "misfit.arguments",
    r"operator, (on|with) .*bool tensor|only implemented on integer and Boolean|Got: Bool|not implemented for 'Bool'": (
        "misfit.booleans"
    ),
    r"expected target dtype to be Long|scalar type Long": "misfit.whole-numbers",
    r"must be non-negative|negative dimension|non-negative integer|out of range .*negative": "misfit.negative",
    r"step cannot be zero|step must be greater than zero|must not be zero": "misfit.step",
    r"is empty|empty sequence|no elements|numel\(\) == 0|arg is an empty": "misfit.empty",
    r"zip\(\) argument": "misfit.zip",
    r"implicitly created only for scalar outputs": "misfit.backward",
    r"At least one of 'min' or 'max'": "misfit.arguments",
    r"does not match the length of the desired ordering": "misfit.axes",
    r"math domain error|math range error": "misfit.domain",
    r"unsupported operand|not supported between|cannot be interpreted as": "misfit.kind",
    r"must be (Tensor, not|tuple of|real number)|expected condition to be a boolean": "misfit.kind",
    r"expected Tensor as element|expected (scalar|a tensor|str|int|float)|must be (str|int|float|a number|a string)": (
        "misfit.kind"
    ),
    r"indices must be integers|used as indices must be": "misfit.indices",
    r"list index out of range|tuple index out of range|index out of range": "misfit.list",
    r"division by zero": "misfit.zero",
}


def misfit(error: BaseException, line: str) -> str:
    """An error in plain words, or "" for one that is not among the common ones."""
    for pattern, sentence in MISFITS.items():
        if found := re.search(pattern, str(error), re.DOTALL):
            return say(sentence, line=line, **found.groupdict())
    return ""
