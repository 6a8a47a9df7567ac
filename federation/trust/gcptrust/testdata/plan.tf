resource "google_iam_workload_identity_pool" "clusters_123456789012" {
  project                   = "123456789012"
  workload_identity_pool_id = "clusters"
}

resource "google_iam_workload_identity_pool" "home_123456789012" {
  project                   = "123456789012"
  workload_identity_pool_id = "home"
}

# the issuer of cluster demo
resource "google_iam_workload_identity_pool_provider" "clusters_123456789012_demo" {
  project                            = google_iam_workload_identity_pool.clusters_123456789012.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.clusters_123456789012.workload_identity_pool_id
  workload_identity_pool_provider_id = "demo"
  attribute_mapping = {
    "attribute.namespace"       = "assertion['kubernetes.io']['namespace']"
    "attribute.service_account" = "assertion['kubernetes.io']['serviceaccount']['name']"
    "google.subject"            = "assertion.sub"
  }

  oidc {
    issuer_uri        = "https://oidc.example.com/demo"
    allowed_audiences = ["//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo", "sts.googleapis.com"]
  }
}

# the issuer of cluster home
resource "google_iam_workload_identity_pool_provider" "home_123456789012_k3s_1" {
  project                            = google_iam_workload_identity_pool.home_123456789012.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.home_123456789012.workload_identity_pool_id
  workload_identity_pool_provider_id = "k3s-1"
  attribute_mapping = {
    "attribute.namespace"       = "assertion['kubernetes.io']['namespace']"
    "attribute.service_account" = "assertion['kubernetes.io']['serviceaccount']['name']"
    "google.subject"            = "assertion.sub"
  }

  oidc {
    issuer_uri = "https://kubernetes.default.svc.cluster.local"
    jwks_json  = "{\"keys\":[{\"alg\":\"RS256\",\"e\":\"AQAB\",\"kid\":\"k'1\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"use\":\"sig\"}]}"
  }
}

# for shop/direct of demo
resource "google_project_iam_member" "example_project_shop_direct_of_demo" {
  project    = "example-project"
  role       = "roles/storage.objectViewer"
  member     = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:direct"
  depends_on = [google_iam_workload_identity_pool.clusters_123456789012]
}

# for shop/reports of demo
resource "google_service_account_iam_member" "first_shop_reports_of_demo" {
  service_account_id = "projects/example-project/serviceAccounts/first@example-project.iam.gserviceaccount.com"
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:reports"
  depends_on         = [google_iam_workload_identity_pool.clusters_123456789012]
}

# for shop/cart of demo
resource "google_service_account_iam_member" "orders_shop_cart_of_demo" {
  service_account_id = "projects/example-project/serviceAccounts/orders@example-project.iam.gserviceaccount.com"
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:cart"
  depends_on         = [google_iam_workload_identity_pool.clusters_123456789012]
}

# for shop/orders of demo
resource "google_service_account_iam_member" "orders_shop_orders_of_demo" {
  service_account_id = "projects/example-project/serviceAccounts/orders@example-project.iam.gserviceaccount.com"
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:orders"
  depends_on         = [google_iam_workload_identity_pool.clusters_123456789012]
}

# for lab/it of home
resource "google_service_account_iam_member" "orders_lab_it_of_home" {
  service_account_id = "projects/example-project/serviceAccounts/orders@example-project.iam.gserviceaccount.com"
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/home/subject/system:serviceaccount:lab:it"
  depends_on         = [google_iam_workload_identity_pool.home_123456789012]
}

# for shop/orders of gke
resource "google_service_account_iam_member" "orders_shop_orders_of_gke" {
  service_account_id = "projects/example-project/serviceAccounts/orders@example-project.iam.gserviceaccount.com"
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:example-project.svc.id.goog[shop/orders]"
}

# for shop/reports of demo
resource "google_service_account_iam_member" "reports_shop_reports_of_demo" {
  service_account_id = "projects/example-project/serviceAccounts/reports@example-project.iam.gserviceaccount.com"
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = "serviceAccount:first@example-project.iam.gserviceaccount.com"
}
