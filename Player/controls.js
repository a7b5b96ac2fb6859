// The bar with which the reader moves through the steps, and the keys that do the same.

class Controls {
  /** `player` has the actions: first, previous, next, last, go, setUnit, togglePlay, togglePredict, setSpeed. */
  constructor(player, unit, speed) {
    this.player = player;
    this.play = button(words.play, icon("play"), () => player.togglePlay(), { class: "play", "data-action": "play" });
    const predicting = { type: "button", class: "predict", "aria-pressed": "false", onclick: (event) => this.pressPredict(event) };
    this.predict = make("button", predicting, words.predict);
    this.slider = make("input", { type: "range", min: 1, max: 1, value: 1, "aria-label": words.position });
    this.slider.addEventListener("input", () => player.go(Number(this.slider.value) - 1));
    this.position = make("output", { class: "position" });
    this.units = chooser(words.unit, Object.entries(words.units), unit, (chosen) => player.setUnit(chosen));
    const speeds = Object.entries(words.speeds).sort((one, other) => one[0] - other[0]);
    this.unitSelect = this.units.querySelector("select");
    this.element = make("nav", { class: "controls", "aria-label": words.controls },
      make("div", { class: "buttons" },
        this.stepButton("first"), this.stepButton("previous"), this.play, this.stepButton("next"), this.stepButton("last")),
      make("div", { class: "slide" }, this.slider, this.position),
      make("div", { class: "options" }, this.units,
        chooser(words.speed, speeds, speed, (chosen) => player.setSpeed(chosen)),
        this.predict));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  stepButton(action) {
    return button(words[action], icon(action), () => this.player[action](), { "data-action": action });
  }

  /** After a click with the mouse, the focus leaves the button: the reader may press Space to play. */
  pressPredict(event) {
    this.player.togglePredict();
    if (event.detail === 0) return;
    if (this.player.predict.isOn) this.player.predict.focus();
    else this.predict.blur();
  }

  show(step, count, isPlaying, unit, isPredicting) {
    const text = fill(words.stepOf, { step: grouped(step + 1), count: grouped(count) });
    this.slider.max = String(count);
    this.slider.value = String(step + 1);
    this.slider.setAttribute("aria-valuetext", text);
    this.position.textContent = text;
    this.unitSelect.value = unit;
    this.play.replaceChildren(icon(isPlaying ? "pause" : "play"));
    this.play.setAttribute("aria-label", isPlaying ? words.pause : words.play);
    this.play.title = isPlaying ? words.pause : words.play;
    this.predict.setAttribute("aria-pressed", String(isPredicting));
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
    const { tagName } = event.target;
    // A menu keeps the keys that choose in it, except left and right: after choosing, the reader wants to step.
    if (tagName === "SELECT" && event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    if (event.key === " " && tagName === "BUTTON") return;
    const actions = { ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last", " ": "togglePlay" };
    if (Object.hasOwn(actions, event.key)) {
      event.preventDefault();
      this.player[actions[event.key]]();
    } else if (/^[1-9]$/.test(event.key)) {
      this.player.choose(Number(event.key) - 1);
    }
  }
}
