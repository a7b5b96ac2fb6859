// A program that uses events uses memory, too: one import gives it both.
@_exported import Talloc
