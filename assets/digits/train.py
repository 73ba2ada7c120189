"""Trains the small digit classifier whose weights and predictions lie beside this file.

    python -m venv venv && venv/bin/pip install -r requirements.txt
    KERAS_BACKEND=jax JAX_PLATFORMS=cpu venv/bin/python train.py

Data: scikit-learn's bundled digits, 1,797 gray images of 8x8 pixels, float64, values 0..16.
Split: image i is a test image when i % 5 == 4 (359 images), else a training image (1,438).
The test images are never trained on, they only measure accuracy; the settings below were chosen by
cross-validation within the training images.
"""

import json
import os
import pathlib
import platform

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import keras
import numpy as np
import sklearn
from keras import layers
from sklearn.datasets import load_digits

SEED = 20240611
EPOCHS = 60
BATCH = 64
RATE = 5e-3
WEIGHT_DECAY = 0.1
LABEL_SMOOTHING = 0.1
SHIFTED_SHARE = 0.5
HERE = pathlib.Path(__file__).parent


def split():
    """Scaled images (n, 8, 8, 1) in 0..1 as float64, and labels, for training and for testing."""
    digits = load_digits()
    images = np.ascontiguousarray(digits.images[..., np.newaxis] / 16.0)
    is_test = np.arange(len(images)) % 5 == 4
    labels = digits.target.astype(np.uint8)
    return (images[~is_test], labels[~is_test]), (images[is_test], labels[is_test])


def shifted(images, rng):
    """About half of the images moved by -1, 0 or 1 pixels along each axis; what moves in is black."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, cols = rng.integers(0, 3, (2, len(images)))
    still = rng.uniform(size=len(images)) >= SHIFTED_SHARE
    rows[still] = cols[still] = 1
    moved = [padded[i, r : r + 8, c : c + 8] for i, (r, c) in enumerate(zip(rows, cols))]
    return np.stack(moved).astype(np.float32)


def network():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.UpSampling2D(2, interpolation="nearest", name="up_sampling2d"),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", name="conv_1"),
            layers.Flatten(name="flatten"),
            layers.Dense(10, activation="softmax", name="dense"),
        ]
    )


def train(model, images, labels):
    rng = np.random.default_rng(SEED)
    one_hot = np.eye(10, dtype=np.float32)[labels]
    steps = EPOCHS * -(-len(images) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=LABEL_SMOOTHING)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY), loss)
    for _ in range(EPOCHS):
        order = rng.permutation(len(images))
        model.fit(shifted(images[order], rng), one_hot[order], batch_size=BATCH, verbose=0, shuffle=False)


def accuracy(model, images, labels):
    probabilities = model.predict(images.astype(np.float32), batch_size=len(images), verbose=0)
    return probabilities, float(np.mean(probabilities.argmax(axis=1) == labels))


def main():
    keras.utils.set_random_seed(SEED)
    (train_images, train_labels), (test_images, test_labels) = split()
    model = network()
    train(model, train_images, train_labels)
    _, train_accuracy = accuracy(model, train_images, train_labels)
    probabilities, test_accuracy = accuracy(model, test_images, test_labels)

    weights = {
        f"{layer.name}/{weight.name}": np.asarray(weight.value, np.float32)
        for layer in model.layers
        for weight in layer.weights
    }
    np.savez_compressed(HERE / "weights.npz", **weights)
    np.save(HERE / "test_images.npy", test_images)
    np.save(HERE / "test_labels.npy", test_labels)
    np.save(HERE / "probabilities.npy", probabilities)
    provenance = {
        "data": "scikit-learn load_digits: 1797 images 8x8, float64 0..16, scaled by 1/16",
        "split": "image i is a test image when i % 5 == 4, else a training image",
        "train_images": len(train_images),
        "test_images": len(test_images),
        "seed": SEED,
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "learning_rate": RATE,
        "weight_decay": WEIGHT_DECAY,
        "label_smoothing": LABEL_SMOOTHING,
        "augmentation": "half of the training images shifted by -1, 0 or 1 pixels, anew in each epoch",
        "train_accuracy": train_accuracy,
        "test_accuracy": test_accuracy,
        "backend": f"keras on {keras.backend.backend()}, cpu, float32",
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "jax": jax.__version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }
    (HERE / "provenance.json").write_text(json.dumps(provenance, indent=2) + "\n")
    for name, weight in weights.items():
        print(name, weight.shape, weight.dtype)
    print(f"train accuracy {train_accuracy:.4f}, test accuracy {test_accuracy:.4f}")


if __name__ == "__main__":
    main()
