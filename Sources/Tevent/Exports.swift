// A program that uses events also uses memory; one import gives it both.
@_exported import Talloc
