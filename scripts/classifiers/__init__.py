"""Small classifiers of handwritten digits and of sums modulo a prime.

Least changes of class, compression without loss, and delayed generalisation. The digits are those of
scikit-learn, of 8 x 8 pixels; nothing is downloaded.
"""
