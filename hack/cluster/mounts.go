package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

// mountsBelow lists what is mounted at path or below it, the latest first.
func mountsBelow(path string) ([]string, error) {
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var found []string
	// Spaces and the like are written as octal escapes; a folder that was
	// removed under a mount of another namespace has a suffix.
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		point := strings.TrimSuffix(unescape.Replace(fields[4]), "//deleted")
		if point == path || strings.HasPrefix(point, path+"/") {
			found = append(found, point)
		}
	}
	slices.Reverse(found)
	return found, nil
}

// unmountBelow unmounts everything at path and below it. A folder must never be
// removed before: its removal would go on into what is mounted there.
func unmountBelow(path string) error {
	for range 5 {
		mounted, err := mountsBelow(path)
		if err != nil || len(mounted) == 0 {
			return err
		}
		for _, point := range mounted {
			if err := syscall.Unmount(point, 0); err != nil {
				// Busy: detached now, gone when its last user is.
				_ = syscall.Unmount(point, syscall.MNT_DETACH)
			}
		}
	}
	mounted, err := mountsBelow(path)
	if err == nil && len(mounted) > 0 {
		err = fmt.Errorf("cannot unmount %s", strings.Join(mounted, ", "))
	}
	return err
}

// removeTree removes a folder and everything mounted in it first.
func removeTree(path string) error {
	if err := unmountBelow(path); err != nil {
		return err
	}
	err := os.RemoveAll(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
