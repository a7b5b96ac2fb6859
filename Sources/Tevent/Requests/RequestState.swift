import Talloc

// Where a request stores its state.
//
// The state of a new request is stored after its record, in the same chunk, so that creating a request is one
// allocation. Few programs ask for the state as a separate chunk, to use as a parent of other memory; for these the
// engine creates one, and moves the state there.
//
//     struct tevent_req ── record, state          struct tevent_req ── record
//                                                   └─ Foo ─────────── state
//
// In both cases no other code may use the state while it is being changed, or after it was released.

enum StatePlace: UInt8 {
    /// After the record.
    case request = 0
    /// In a chunk of its own, a child, whose handle is among the extras.
    case chunk
    /// The request was received.
    case gone
}

extension Request {
    /// The state: what the work has to remember.
    ///
    /// ```swift
    /// let request = try Request([1, 2], under: memory)
    /// request.state.append(3)
    /// print(request.state.count)
    /// ```
    ///
    /// A change such as `request.state.count += 1` happens in place. Any other use of the state during the change is a
    /// trap, and so is any use after the request was received.
    ///
    /// The corresponding C macro is `tevent_req_data()`.
    @inlinable
    public var state: State {
        get { Storage<State>.value(at: placeOfState(requestChunk("state"))).pointee }
        nonmutating set {
            let place = Storage<State>.value(at: placeOfState(requestChunk("state")))
            // Release the old state last: its deinit may do anything, such as free the request.
            let old = place.move()
            place.initialize(to: newValue)
            withExtendedLifetime(old) {}
        }
        nonmutating _modify {
            let chunk = requestChunk("state")
            let place = beginChangeOfState(chunk)
            defer { endChangeOfState(chunk) }
            yield &Storage<State>.value(at: place).pointee
        }
    }

    /// The state as a chunk of its own, which can be a parent like any other; receiving the request frees it.
    ///
    /// The chunk is made when you first ask for it. Until then the state lies in the request's own memory.
    ///
    /// - Throws: ``TeventError/outOfMemory(name:)``; the state then stays where it is.
    ///
    /// The corresponding C macro is `tevent_req_data()`.
    public var stateChunk: TallocChunk<State> {
        get throws(TeventError) { TallocChunk(tallocHandle: try record("stateChunk").stateHandle()) }
    }
}

extension AnyRequest {
    /// The same request with the type of its state, or nil if the state is of another type.
    ///
    /// The corresponding C macros are `tevent_req_data()` and `talloc_get_type()`.
    public func request<State>(of type: State.Type) -> Request<State>? {
        record("request(of:)").pointee.storage.valueType == type ? Request(erased: self) : nil
    }

    /// The same request with the type of its state, or a trap that names both types if the state is of another type.
    ///
    /// The corresponding C macro is `tevent_req_data()`.
    public func request<State>(expecting type: State.Type) -> Request<State> {
        guard let request = request(of: type) else {
            let (held, wanted) = distinctNames(record("request(expecting:)").pointee.storage.valueType, type)
            abort(
                "the request made at \(origin) has a state of type '\(held)', and was used as one of '\(wanted)'; "
                    + "look at the type it was made with")
        }
        return request
    }

    /// The state as plain memory; ask it for a chunk of a type.
    ///
    /// - Throws: ``TeventError/outOfMemory(name:)``, as ``Request/stateChunk`` does.
    ///
    /// The corresponding C function is `_tevent_req_data()`.
    public var state: TallocContext {
        get throws(TeventError) { TallocContext(tallocHandle: try record("state").stateHandle()) }
    }
}

// The part of the generic functions above that is the same for every type of state; it takes the chunk of an existing
// request.

/// Where the state lies, or a trap if it is being changed.
@usableFromInline
func placeOfState(_ chunk: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    chunk.assumingMemoryBound(to: RequestRecord.self).placeOfState
}

@usableFromInline
func beginChangeOfState(_ chunk: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    let request = chunk.assumingMemoryBound(to: RequestRecord.self)
    let place = request.placeOfState
    request.setStateBeingChanged(true)
    return place
}

@usableFromInline
func endChangeOfState(_ chunk: UnsafeMutableRawPointer) {
    chunk.assumingMemoryBound(to: RequestRecord.self).setStateBeingChanged(false)
}

extension RequestPointer {
    /// Where the state of a new request lies.
    @inlinable package var placeBehindRecord: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self + 1) }

    @inline(__always)
    var placeOfState: UnsafeMutableRawPointer {
        if pointee.statePlace == .request, !pointee.isStateBeingChanged { return placeBehindRecord }
        return placeOfStateElsewhere()
    }

    @inline(never)
    private func placeOfStateElsewhere() -> UnsafeMutableRawPointer {
        switch pointee.statePlace {
        case .request: usedWhileChanged()
        case .chunk: return placeOfUnchangingValue(in: stateChunk)
        case .gone: usedAfterReceived()
        }
    }

    /// The chunk that the state has moved to, or a trap if it has been freed by itself.
    private var stateChunk: UnsafeMutableRawPointer {
        let state = pointee.owned.extras.unsafelyUnwrapped.state.unsafelyUnwrapped
        guard let chunk = state.object else {
            abort("the state of the request made at \(origin) was used, but its chunk has been freed")
        }
        return chunk
    }

    /// Marks the state, wherever it is, so that neither it nor the request can be freed meanwhile.
    @inline(__always)
    fileprivate func setStateBeingChanged(_ isBeingChanged: Bool) {
        pointee.isStateBeingChanged = isBeingChanged
        if pointee.statePlace == .chunk { setBeingChanged(isBeingChanged, valueIn: stateChunk) }
    }

    /// The state's chunk, made if necessary.
    fileprivate func stateHandle() throws(TeventError) -> TallocHandle {
        switch pointee.statePlace {
        case .request:
            if pointee.isStateBeingChanged { usedWhileChanged() }
            let chunk: UnsafeMutableRawPointer
            do {
                chunk = try makeTypedChunk(name: stateTypeName, storage: pointee.storage, under: self)
            } catch { throw TeventError(error) }
            pointee.storage.moveValue(from: placeBehindRecord, to: placeOfValue(in: chunk))
            let handle = TallocHandle(objectAt: chunk)
            extras.state = handle
            pointee.statePlace = .chunk
            return handle
        case .chunk: return pointee.owned.extras.unsafelyUnwrapped.state.unsafelyUnwrapped
        case .gone: usedAfterReceived()
        }
    }

    var stateTypeName: UnsafePointer<CChar> { TypeNames.cString(of: pointee.storage.valueType) }

    /// Releases the state, which lies after the record; no code can reach it when its deinit runs.
    func releaseState() {
        pointee.statePlace = .gone
        pointee.storage.deinitializeValue(at: placeBehindRecord)
    }

    /// Freeing the state would pull it from under a change.
    func checkStateIsNotBeingChanged() {
        if pointee.isStateBeingChanged {
            abort("the request made at \(origin) was freed or received while its state was being changed")
        }
    }

    private func usedWhileChanged() -> Never {
        abort("the state of the request made at \(origin) was used while it was being changed")
    }

    private func usedAfterReceived() -> Never {
        abort("the state of the request made at \(origin) was used after it was received, which releases the state")
    }
}
