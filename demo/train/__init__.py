"""How the offline world is trained: one module per stage, all of them resumable.

What builds upon what: latents come from the autoencoder's encoder; text_to_image, identity and control are trained on
latents, as is transformer, so that training the encoder further makes all of them unusable, while the stage `decoder`
harms none.
identity goes on from text_to_image and listens to embeddings of the recogniser; control is trained on identity's UNet,
transformer reads what identity's text encoder says.
The scorer, the detector and the reader stand alone.
"""
