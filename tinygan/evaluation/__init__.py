"""One source or one learning curve scored; two folders of images compared."""
