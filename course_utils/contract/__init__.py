"""The contract of attention: an audit that any implementation can be put through, the learner's or a library's.

    from course_utils.contract import audit
    audit(my_attention)                                    # called as this course calls attention
    audit(theirs, mask="hidden", returns="context")        # what is otherwise, declared in one line

Or in a shell: `python -m course_utils.contract package.module:name`.

    convention  how an attention wants to be called
    patterns    axes in words
    calling     from our axes into a convention's, and back
    subject     the attention under audit, called in its convention and read in ours
    cases       the inputs, small ones first; hiding has the masks
    clauses     what must hold, and when it applies
    reading     what an attention says of itself; probing, discovering and masking try the rest
    reference   what a module with projections should equal
    auditing    every clause, on one attention
    report      the results, and the table; wording says a convention in words
    addressing  what stands at package.module:name, for the shell
    testing     the clauses as tests of pytest
    leaks       who depends on whom, in any model
"""

from course_utils.contract.auditing import audit
from course_utils.contract.clauses import CLAUSES
from course_utils.contract.convention import Convention
from course_utils.contract.report import ContractBroken, Report, Result

__all__ = ["CLAUSES", "ContractBroken", "Convention", "Report", "Result", "audit"]
