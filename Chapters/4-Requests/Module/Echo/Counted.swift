/// A number with its noun: "1 client", "2 clients".
public func counted(_ number: Int, _ thing: String) -> String { "\(number) \(thing)\(number == 1 ? "" : "s")" }
