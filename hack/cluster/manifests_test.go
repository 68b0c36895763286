package main

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func TestManifestsAreObjectsOnceFilled(t *testing.T) {
	images := map[string]string{}
	for _, name := range componentImages {
		images[name] = "localhost/" + name + ":test"
	}
	v := values{State: "/s", Run: "/r", Socket: "/r/x", Cache: "/c", PauseImage: "p", PodRange: podRange,
		NodePodRange: nodePodRange, NodeAddress: nodeAddress, DNSAddress: dnsAddress, NodeName: nodeName,
		CgroupRoot: cgroupRoot, Images: images, Secrets: map[string]string{"s3-access-key": "a", "s3-secret-key": "b"}}
	for _, name := range addonManifests {
		text, err := fill(manifests, "manifests/"+name+".yaml", v)
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			object := unstructured.Unstructured{}
			if err := yaml.UnmarshalStrict([]byte(document), &object.Object); err != nil {
				t.Errorf("%s: %v in\n%s", name, err, document)
				continue
			}
			if object.GetKind() == "" || object.GetName() == "" {
				t.Errorf("%s: an object without kind or name:\n%s", name, document)
			}
		}
	}
	for _, name := range []string{"containerd.toml", "cni.conflist", "kubelet.yaml", "proxy.yaml"} {
		if _, err := fill(configuration, "config/"+name, v); err != nil {
			t.Error(err)
		}
	}
}
