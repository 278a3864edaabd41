"""The parts of Neovim's remote plugin (rplugin/python3/igor_nvim.py) that know no pynvim."""
