"""Which models there are, by name, and which options only some of them take."""

from evaluation.extractors import (
    campplus,
    ge2e,
    nemo,
    pyannote,
    redimnet,
    speechbrain_ecapa,
    wavlm,
)

MODELS = {
    model.name: model
    for model in (
        campplus.MODEL,
        ge2e.MODEL,
        *nemo.MODELS.values(),
        pyannote.MODEL,
        redimnet.MODEL,
        speechbrain_ecapa.MODEL,
        wavlm.MODEL,
    )
}
OPTIONS = {option.name: option for model in MODELS.values() for option in model.takes}
