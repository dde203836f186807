"""What an engine must do for its numbers to be upliftlab's: cases with their right answers.

`upliftlab engine check` runs them; a package that adds an engine runs them in its own tests:

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_conforms(case, tmp_path):
        outcome = run_case(case, open_my_engine, tmp_path)
        assert outcome.wrong == ()
"""

from upliftlab.conformance.bench import Bench, Case, CaseResult, Opener, Publish
from upliftlab.conformance.suite import CASES, conform, run_case

__all__ = ["CASES", "Bench", "Case", "CaseResult", "Opener", "Publish", "conform", "run_case"]
