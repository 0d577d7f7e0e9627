"""How the offline world is trained: one module per stage, all of them resumable.

What builds upon what: latents come from the autoencoder's encoder; text_to_image, identity and control are trained on
latents, so that training the encoder further makes all three unusable, while the stage `decoder` harms none of them.
identity goes on from text_to_image and listens to embeddings of the recogniser; control is trained on identity's UNet.
The scorer, the detector and the reader stand alone.
"""
