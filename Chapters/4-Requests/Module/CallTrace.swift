import Tevent
