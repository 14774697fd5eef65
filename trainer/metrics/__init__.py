"""What is measured beyond Keras and scikit-learn: numpy and scipy alone, no other room of the house."""
