// A program that awaits requests also makes them; one import gives it both.
@_exported import Tevent
