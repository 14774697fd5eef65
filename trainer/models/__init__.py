"""What the encoder is: backbone, the one text-to-tensor layer, pooling."""
