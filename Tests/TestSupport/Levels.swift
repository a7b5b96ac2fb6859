import CTestSupport

/// As many levels as wanted, or as many as the thread sanitizer can follow: it remembers 65,536 calls, up to thirty a level.
public func levels(_ wanted: Int) -> Int { test_is_thread_sanitized() == 0 ? wanted : min(wanted, 2_000) }
