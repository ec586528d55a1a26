"""The networks: autoencoder, text encoder, flow transformer and the judge that measures them."""
