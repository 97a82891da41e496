"""Pictures in a terminal: as half blocks, as sixels, or by kitty's protocol.

Written here, since the libraries that do it do not fit: term-image 0.7 takes no Pillow from 11 on, rich-pixels 3.0 has
blocks alone and no release since 2024, and textual-image 0.12 asks the terminal questions when it is imported.
"""
