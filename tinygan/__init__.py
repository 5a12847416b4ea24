"""TinyGAN: black-box distillation of a class-conditional GAN (Chang and Lu, ACCV 2020)."""

__version__ = "0.1.0"
