import CPlayer

extension EventRecording {
    /// The page that plays the recording; `Player/README.md` describes the data in it.
    func playerPage() -> [UInt8] {
        var page: [UInt8] = []
        var rest = cplayer_page().bytes[...]
        while let place = rest.firstPlace {
            page += rest[..<place.range.lowerBound]
            page += filling(of: place.name)
            rest = rest[place.range.upperBound...]
        }
        return page + rest
    }

    private func filling(of place: String) -> [UInt8] {
        switch place {
        case "title": Array(HTML.escaped(program).utf8)
        case "style": cplayer_style().bytes
        case "script": cplayer_script().bytes
        case "data": playerData()
        case "table": Array(plainTable().utf8)
        default: []
        }
    }

    // MARK: The data

    private func playerData() -> [UInt8] {
        var json = JSONText(inPage: true)
        json.raw("{\"format\":1,\"program\":")
        json.string(program)
        json.raw(",\"lost\":")
        json.number(lost)
        json.raw(",\n\"threads\":")
        json.array(threads) { $0.string($1) }
        json.raw(",\n\"strings\":")
        json.array(strings) { $0.string($1) }
        json.raw(",\n\"objects\":")
        json.array(objects) { json, object in
            json.raw("[")
            json.string(object.kind.rawValue)
            for number in [object.name, object.file, object.line, object.thread] {
                json.raw(",")
                json.number(number)
            }
            if object.tag != 0 {
                json.raw(",")
                json.string("\(object.tag)")
            }
            json.raw("]")
        }
        json.raw(",\n\"records\":")
        json.array(steps) { $0.step($1) }
        json.raw(",\n\"sources\":{")
        addSources(to: &json)
        json.raw("}}\n")
        return json.bytes
    }

    private func addSources(to json: inout JSONText) {
        let files = Set(objects.map(\.file) + steps.filter { $0.what == .ended }.map(\.text)).subtracting([0])
        var isFirst = true
        for file in files.sorted() {
            guard let lines = SourceLines.find(strings[file]) else { continue }
            json.raw(isFirst ? "\n" : ",\n")
            isFirst = false
            json.string(strings[file])
            json.raw(":{\"first\":1,\"lines\":")
            json.array(lines) { $0.string($1) }
            json.raw("}")
        }
    }

    // MARK: Without JavaScript

    private func plainTable() -> String {
        steps.enumerated().map { number, step in
            let subject = step.object < 0 ? strings[step.text] : subject(of: step.object)
            let origin = step.object < 0 ? nil : origin(of: step.object)
            let cells = [
                "\(number + 1)", "\(Double(step.time) / 1000) µs", threads[step.thread], "\(step.what) \(subject)",
                origin,
            ]
            return "<tr>" + cells.map { "<td>\(HTML.escaped($0 ?? ""))</td>" }.joined() + "</tr>"
        }.joined(separator: "\n")
    }
}

extension JSONText {
    fileprivate mutating func step(_ step: EventRecording.Step) {
        raw("[")
        number(step.time)
        raw(",")
        number(step.thread)
        raw(",\"")
        raw(step.what.rawValue)
        raw("\"")
        for number in [Int64(step.object), Int64(step.other), step.value, step.detail, Int64(step.text)] {
            raw(",")
            self.number(number)
        }
        raw(",")
        number(step.line)
        raw("]")
    }
}

enum HTML {
    static func escaped(_ text: String) -> String {
        // Byte by byte: Swift makes one character of "<" and a sign that joins it, such as U+0600 before it.
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes += "&amp;".utf8
            case UInt8(ascii: "<"): bytes += "&lt;".utf8
            case UInt8(ascii: ">"): bytes += "&gt;".utf8
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension cplayer_text {
    fileprivate var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: text, count: length)) }
}

extension ArraySlice<UInt8> {
    /// The first place for something else: a word in double braces.
    fileprivate var firstPlace: (range: Range<Int>, name: String)? {
        var start = startIndex
        while start + 1 < endIndex {
            defer { start += 1 }
            guard self[start] == UInt8(ascii: "{"), self[start + 1] == UInt8(ascii: "{") else { continue }
            let word = self[(start + 2)...].prefix { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 }
            guard self[word.endIndex...].starts(with: [UInt8(ascii: "}"), UInt8(ascii: "}")]) else { continue }
            return (start..<word.endIndex + 2, String(decoding: word, as: UTF8.self))
        }
        return nil
    }
}

extension String {
    /// The string with each occurrence of a part replaced, without the library for regular expressions, which would
    /// double the size of `libtevent.so.0`.
    func replacing(_ part: Character, _ replacement: String) -> String {
        split(separator: part, omittingEmptySubsequences: false).joined(separator: replacement)
    }
}
