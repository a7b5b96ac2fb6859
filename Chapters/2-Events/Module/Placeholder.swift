/// What the greeting of this chapter's first example says; to be replaced by the chapter's own module.
public let timerGreeting = "a timer fires"
