"""Train the diffusion model that the repository ships as a second small teacher."""
