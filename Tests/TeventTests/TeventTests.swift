import XCTest

final class TeventTests: XCTestCase {}
