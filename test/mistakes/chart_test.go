package mistakes

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"
)

const chartDir = "../../charts/podpass"

// settingsChart is the chart with the templates that make the settings, and no others.
var settingsChart = sync.OnceValues(func() (*chart.Chart, error) {
	c, err := loader.LoadDir(chartDir)
	if err != nil {
		return nil, err
	}
	c.Templates = slices.DeleteFunc(c.Templates, func(f *common.File) bool {
		return !strings.HasSuffix(f.Name, ".tpl") && f.Name != "templates/configmap.yaml"
	})
	return c, nil
})

// render gives the webhook's configuration file as Helm renders it, by Helm's own schema
// validation and engine. The error is what `helm install` prints.
func render(values map[string]any) (string, error) {
	c, err := settingsChart()
	if err != nil {
		return "", err
	}
	options := common.ReleaseOptions{Name: "podpass", Namespace: "podpass-system", IsInstall: true, Revision: 1}
	all, err := util.ToRenderValues(c, values, options, nil)
	if err != nil {
		return "", err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return "", err
	}
	var m struct {
		Data map[string]string `json:"data"`
	}
	if err := yaml.Unmarshal([]byte(files["podpass/templates/configmap.yaml"]), &m); err != nil {
		return "", fmt.Errorf("the ConfigMap is no YAML: %w", err)
	}
	return m.Data["config.yaml"], nil
}
