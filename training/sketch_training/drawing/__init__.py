"""The renderer: pixel-art scenes, the only pictures the model is trained on."""
