import CTestSupport

/// The wanted number of levels, or as many as the thread sanitizer can follow: it remembers 65,536 calls, up to thirty
/// per level.
public func levels(_ wanted: Int) -> Int { test_is_thread_sanitized() == 0 ? wanted : min(wanted, 2_000) }
