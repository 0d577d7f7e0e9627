"""The stages of training in order: what each needs, makes and writes."""

import hashlib
import logging

import torch

from .autoencoder import train_decoder
from .control import train_control
from .corpus import NEAR_TO_DISTANT, NEAR_TO_WIDE, render_corpus
from .detector import train_detector
from .export import write_detector, write_onnx, write_recogniser, write_safetensors
from .faces import ResidualRecogniser, log_rank_one, train_recogniser
from .identity import Pictures
from .photos import kept_album
from .reader import train_reader
from .shipped import RECOGNISER
from .subject_stages import subject_encoder_stage, subject_stage
from .text_to_image import TextToImage
from .training import Training
from .transformer import Data, train_transformer

log = logging.getLogger(__name__)


def corpus_stage(t: Training) -> None:
    """Render the training set."""
    render_corpus(t.work / "corpus", t.form.size, t.form.scenes)
    render_corpus(t.work / "distant", t.form.size, -(-t.form.scenes // NEAR_TO_DISTANT), distant=True)
    render_corpus(t.work / "wide", (t.form.size, 2 * t.form.size), -(-t.form.scenes // NEAR_TO_WIDE))


def autoencoder_stage(t: Training) -> None:
    """Write vae.safetensors, with the decoder that learned together with the encoder."""
    write_safetensors(t.out / "vae.safetensors", t.autoencoder.state_dict())


def recogniser_stage(t: Training) -> None:
    """Write the recogniser of the pack troupe-demo, and say how well it tells unseen people apart."""
    log_rank_one("recogniser", t.recogniser, t.form.scenes)
    write_recogniser(t.out / "insightface/models/troupe-demo/recogniser.onnx", t.recogniser)


def scorer_stage(t: Training) -> None:
    """Write the recogniser of the pack troupe-demo-scorer, which never feeds an adapter."""
    torch.manual_seed(2)
    scorer = train_recogniser(ResidualRecogniser(), t.corpus, t.run("scorer"))
    log_rank_one("scorer", scorer, t.form.scenes)
    write_recogniser(t.out / "insightface/models/troupe-demo-scorer/recogniser.onnx", scorer)


def detector_stage(t: Training) -> None:
    """Write the detector into both face packs."""
    torch.manual_seed(4)
    detector = train_detector(t.corpus, t.run("detector"))
    for pack in ("troupe-demo", "troupe-demo-scorer"):
        write_detector(t.out / f"insightface/models/{pack}/detector.onnx", detector)


def reader_stage(t: Training) -> None:
    """Write reader.onnx."""
    torch.manual_seed(5)
    reader = train_reader(t.corpus, t.run("reader"))
    write_onnx(t.out / "reader.onnx", reader, (1, 3, 96, 96), "person", ["logits"], batched=True)


def text_to_image_stage(t: Training) -> None:
    """Write UNet and text encoder as they are before the stage `identity`."""
    write_text_to_image(t, t.drawing_world)


def write_text_to_image(t: Training, world: TextToImage) -> None:
    """Write unet.safetensors and text_encoder.safetensors."""
    write_safetensors(t.out / "unet.safetensors", world.unet.state_dict())
    write_safetensors(t.out / "text_encoder.safetensors", world.text.state_dict())


def identity_stage(t: Training) -> None:
    """Write the identity adapter, and UNet and text encoder as they are with it."""
    write_text_to_image(t, t.world.world)
    own = t.out / RECOGNISER
    file = own if own.is_file() else t.shipped.recogniser()
    named = {"recogniser": hashlib.sha256(file.read_bytes()).hexdigest()[:16]} if file else None
    write_safetensors(t.out / "ipadapter/troupe-demo-faceid.safetensors", t.world.adapter.state_dict(), named)


def control_stage(t: Training) -> None:
    """Write the depth ControlNet of the final UNet."""
    parts = t.form, t.corpus, t.latents, t.world.world
    torch.manual_seed(7)
    control = train_control(*parts, t.run("control"))
    write_safetensors(t.out / "depth_control.safetensors", control.state_dict())


def transformer_stage(t: Training) -> None:
    """Write the in-context transformer, which reads what the final text encoder says."""

    def data() -> Data:
        near = Pictures(t.corpus, t.latents)
        who = torch.cat([shown.corpus.face_who for shown in (near, t.distant, t.wide)]).unique()
        return Data(near, t.distant, t.wide, t.layouts, kept_album(t.autoencoder, who, t.work))

    text = t.text
    torch.manual_seed(10)
    transformer = train_transformer(t.form.transformer, data, text, t.run("transformer", upon=("identity",)))
    write_safetensors(t.out / "transformer.safetensors", transformer.state_dict())


def decoder_stage(t: Training) -> None:
    """Write vae.safetensors with a sharper decoder: same latents, so that every other part still fits."""
    write_safetensors(t.out / "vae.safetensors", train_decoder(t.autoencoder, t.corpus, t.run("decoder")).state_dict())


STAGES = {
    "corpus": corpus_stage,
    "autoencoder": autoencoder_stage,
    "recogniser": recogniser_stage,
    "scorer": scorer_stage,
    "detector": detector_stage,
    "reader": reader_stage,
    "text_to_image": text_to_image_stage,
    "identity": identity_stage,
    "control": control_stage,
    "subject_encoder": subject_encoder_stage,
    "subject": subject_stage,
    "transformer": transformer_stage,
    "decoder": decoder_stage,
}
