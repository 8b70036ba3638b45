"""Which models there are, by name."""

# Each name leads to the module and the class that serve it; nothing is imported until then.
MODELS = {
    "campplus": ("campplus", "CamPlusPlus"),
    "ge2e": ("ge2e", "Ge2e"),
    "nemo-ecapa": ("nemo", "NemoEcapa"),
    "nemo-speakernet": ("nemo", "NemoSpeakerNet"),
    "nemo-titanet": ("nemo", "NemoTitaNet"),
    "pyannote": ("pyannote", "PyannoteEmbedding"),
    "redimnet": ("redimnet", "ReDimNet"),
    "speechbrain-ecapa": ("speechbrain_ecapa", "SpeechBrainEcapa"),
    "wavlm": ("wavlm", "WavLm"),
}
