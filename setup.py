"""Slipway: labelled text to a proven TensorFlow Serving endpoint."""

import pathlib

from setuptools import find_packages, setup

TRAINING = [
    "tensorflow>=2.20,<2.22",
    "tensorflow-text>=2.20,<2.22",
    "keras>=3.15,<3.16",
    "keras-hub>=0.32,<0.33",
    "keras-nlp>=0.32,<0.33",
    "tensorflow-datasets>=4.9.9,<5",
    "importlib_resources>=6",
    "tensorboard>=2.20,<2.22",
    "safetensors>=0.5,<1",
    "scikit-learn>=1.5,<2",
    "scipy>=1.13,<2",
    "numpy>=1.26,<3",
    "absl-py>=2.1,<3",
    "rich>=13.9,<16",
]
SEEING = [
    "matplotlib>=3.9,<4",
    "jinja2>=3.1,<4",
    "pyarrow>=17",
    "ftfy>=6.2,<7",
    "py3langid>=0.3,<1",
    "python-stdnum>=1.20,<3",
    "phonenumbers>=8.13",
    "cleanlab>=2.7,<3",
]
SERVING = [
    "tensorflow-serving-api>=2.19,<2.22",
    "grpcio>=1.71,<2",
    "grpcio-health-checking>=1.71,<2",
    "aiohttp>=3.12,<4",
    "python-rapidjson>=1.20,<2",
    "protobuf>=5.28,<8",
    "hdrhistogram>=0.10.7,<0.11",
]
FETCHING = ["unearth>=0.19,<0.20", "httpx2>=2,<3"]
TEST = [
    "pytest>=8.3,<10",
    "pytest-timeout>=2.3,<3",
    "pytest-xdist>=3.6,<4",
    "hypothesis>=6.100,<7",
    "tokenizers>=0.21,<1",
    "psutil>=6,<8",
    "pandas>=2.2,<4",
    "datasets>=3,<6",
    "trustme>=1.2,<2",
    "nbclient>=0.10,<1",
    "nbformat>=5.10,<6",
    "ipykernel>=6.29,<8",
    "ruff>=0.12,<1",
    "setuptools>=77",
]
BENCH = [
    "torch>=2.12,<2.14",
    "transformers>=4.57,<6",
    "accelerate>=1.3,<2",
    "setfit>=1.2,<2",
    "safetensors>=0.5,<1",
    "numpy>=1.26,<3",
    "onnx>=1.18,<2",
    "onnxruntime>=1.22,<2",
    "torchmetrics>=1.5,<2",
]

setup(
    name="slipway-serving",
    version="0.1.0",
    description="Fine-tunes BERT-style encoders with Keras; proves, publishes and serves them on TensorFlow Serving.",
    long_description=pathlib.Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["trainer", "trainer.*", "serving", "serving.*", "data", "data.*"]),
    package_data={
        "trainer": ["flagfiles/*.flags"],
        "trainer.export": ["*.jsonl"],
        "trainer.report": ["*.jinja", "*.css"],
        "data.doctor": ["*.html"],
        "serving.opsets": ["*.txt", "*.md"],
    },
    install_requires=TRAINING + SEEING + SERVING + FETCHING,
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.20,<2.22"],
        "tpu": ["tensorflow-tpu>=2.20,<2.21"],
        "test": TEST,
        "bench": BENCH,
    },
)
