package browser

// Windows' codes of the keys that Press knows: without one Chromium takes a key for none.
var keyCodes = map[string]int{
	"Tab": 9, "Enter": 13, "Escape": 27, "End": 35, "Home": 36,
	"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
}

// Press presses and releases keys, one after the other, by their names in the DOM.
func (b *Browser) Press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		code, ok := keyCodes[key]
		if !ok {
			b.t.Fatalf("no key %q", key)
		}
		press := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code}
		if key == "Enter" {
			press["text"] = "\r" // without it a button is not pressed
		}
		b.Call("Input.dispatchKeyEvent", press, nil)
		b.Call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code}, nil)
	}
}
