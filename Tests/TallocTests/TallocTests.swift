import XCTest

final class TallocTests: XCTestCase {}
