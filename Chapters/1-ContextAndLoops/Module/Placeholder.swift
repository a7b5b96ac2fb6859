/// What the greeting of this chapter's first example says; to be replaced by the chapter's own module.
public let contextGreeting = "a context under a talloc parent"
