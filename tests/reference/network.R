source("common.R")
suppressMessages({ library(metafor); library(survival) })

# Arms: events and patients, or means with standard deviations.
binary <- function(study, treatment, events, n) data.frame(study = as.character(study), treatment = gsub(",", "", as.character(treatment)), events, n, mean = NA, se = NA)
means <- function(study, treatment, m, sd, n) data.frame(study = as.character(study), treatment = as.character(treatment), events = NA, n = NA, mean = m, se = sd / sqrt(n))
wide <- function(d, study, t, y, sd, n) {
  arms <- lapply(1:3, function(i) means(d[[study]], d[[paste0(t, i)]], d[[paste0(y, i)]], d[[paste0(sd, i)]], d[[paste0(n, i)]]))
  arms <- do.call(rbind, arms); arms <- arms[!is.na(arms$mean), ]; arms$study <- gsub(",", "", arms$study); arms[order(match(arms$study, unique(arms$study))), ]
}
sets <- list(
  senn2013 = list("MD", with(dat.senn2013, means(study, treatment, mi, sdi, ni))),
  franchini2012 = list("MD", wide(dat.franchini2012, "Study", "Treatment", "y", "sd", "n")),
  stowe2010 = list("MD", wide(dat.stowe2010, "study", "t", "y", "sd", "n")),
  hasselblad1998 = list("OR", with(dat.hasselblad1998, binary(study, trt, xi, ni))),
  hasselblad1998_rr = list("RR", with(dat.hasselblad1998, binary(study, trt, xi, ni))),
  hasselblad1998_rd = list("RD", with(dat.hasselblad1998, binary(study, trt, xi, ni))),
  dogliotti2014 = list("OR", with(dat.dogliotti2014, binary(id, treatment, stroke, total))),
  pagliaro1992 = list("OR", with(dat.pagliaro1992, binary(study, trt, xi, ni))),
  dong2013 = list("OR", with(dat.dong2013, binary(id, treatment, death, randomized))))

arm_values <- function(measure, arms) {
  if (measure == "MD") return(transform(arms, y = mean, v = se^2))
  if (measure == "RD") return(transform(arms, y = events / n, v = events * (n - events) / n^3))
  zero <- if (measure == "OR") ave(as.numeric(arms$events == 0 | arms$events == arms$n), arms$study, FUN = max) else ave(as.numeric(arms$events == 0), arms$study, FUN = max)
  a <- arms$events + zero / 2; b <- arms$n - arms$events + zero / 2
  if (measure == "OR") transform(arms, y = log(a / b), v = 1 / a + 1 / b) else transform(arms, y = log(a / (a + b)), v = 1 / a - 1 / (a + b))
}
informed <- function(measure, arms) {
  if (measure %in% c("MD", "RD")) return(arms)
  events <- ave(arms$events, arms$study, FUN = sum); none <- ave(arms$n - arms$events, arms$study, FUN = sum)
  arms[events > 0 & (measure == "RR" | none > 0), ]
}
# Contrasts against the first arm of each study, their covariance and the design over all treatments.
contrasts_of <- function(arms) {
  nodes <- sort(unique(arms$treatment), method = "radix")
  parts <- lapply(split(arms, factor(arms$study, unique(arms$study))), function(s) {
    k <- nrow(s) - 1; x <- matrix(0, k, length(nodes), dimnames = list(NULL, nodes))
    for (i in seq_len(k)) { x[i, s$treatment[i + 1]] <- 1; x[i, s$treatment[1]] <- x[i, s$treatment[1]] - 1 }
    list(y = s$y[-1] - s$y[1], v = diag(s$v[-1], k) + s$v[1], x = x, study = rep(s$study[1], k), row = seq_len(k), design = rep(paste(sort(s$treatment), collapse = "|"), k))
  })
  join <- function(f) unlist(lapply(parts, `[[`, f), use.names = FALSE)
  list(nodes = nodes, y = join("y"), v = as.matrix(bldiag(lapply(parts, `[[`, "v"))), x = do.call(rbind, lapply(parts, `[[`, "x")), study = join("study"), row = join("row"), design = join("design"))
}
interaction_x <- function(d) do.call(cbind, lapply(unique(d$design), function(g) { x <- d$x * (d$design == g); keep <- which(colSums(x != 0) > 0); x[, keep[-1], drop = FALSE] }))
half <- function(d) outer(d$study, d$study, "==") * (diag(length(d$y)) + 1) / 2
projected <- function(d, x, tau2) { w <- solve(d$v + tau2 * half(d)); w - w %*% x %*% solve(t(x) %*% w %*% x, t(x) %*% w) }
q_at <- function(d, x, tau2) c(t(d$y) %*% projected(d, x, tau2) %*% d$y)
moments <- function(d, x) { p <- projected(d, x, 0); max(0, (q_at(d, x, 0) - length(d$y) + ncol(x)) / sum(diag(p %*% half(d)))) }
score <- function(d, x) Vectorize(function(tau2) { p <- projected(d, x, tau2); s <- half(d); py <- p %*% d$y; c(t(py) %*% s %*% py) - sum(diag(p %*% s)) })
restricted <- function(d, x, near) if (near < 1e-8 && score(d, x)(0) <= 0) 0 else uniroot(score(d, x), near * c(0.5, 2), tol = 1e-15, maxiter = 10000)$root
metafor <- function(d, x, tau2) suppressWarnings(rma.mv(d$y, d$v, mods = x, intercept = FALSE, random = ~ row | study, struct = "CS", rho = 0.5, tau2 = tau2, data = data.frame(row = factor(d$row), study = d$study)))

effects <- list(); summaries <- list(); splits <- list(); arms_out <- list(); data_out <- list()
for (name in names(sets)) {
  measure <- sets[[name]][[1]]; arms <- sets[[name]][[2]]
  if (measure != "MD") arms_out[[name]] <- data.frame(set = name, measure, arms[c("study", "treatment", "events", "n")])
  arms <- arm_values(measure, informed(measure, arms)); d <- contrasts_of(arms); x <- d$x[, -1]; own <- interaction_x(d)
  data_out[[name]] <- do.call(rbind, lapply(split(arms, factor(arms$study, unique(arms$study))), function(s) { p <- t(combn(nrow(s), 2))
    data.frame(set = name, measure, study = s$study[1], treatment1 = s$treatment[p[, 2]], treatment0 = s$treatment[p[, 1]], y = s$y[p[, 2]] - s$y[p[, 1]], v = s$v[p[, 2]] + s$v[p[, 1]]) }))
  free <- metafor(d, x, NA); reml <- restricted(d, x, free$tau2)
  values <- c(FE = 0, DL = moments(d, x), REML = reml, assumed = 0.0625)
  fe <- metafor(d, x, 0); fe_own <- metafor(d, own, 0); within <- moments(d, own)
  summaries[[name]] <- data.frame(set = name, measure, reference = d$nodes[1], tau2_dl = values[["DL"]], tau2_reml = reml, tau2_metafor = free$tau2, q = fe$QE, q_df = length(d$y) - ncol(x),
    q_within = fe_own$QE, q_within_df = length(d$y) - ncol(own), tau2_within = within, q_inconsistency = q_at(d, x, within) - q_at(d, own, within), studies = length(unique(d$study)), designs = length(unique(d$design)))
  for (method in names(values)) {
    m <- metafor(d, x, values[[method]]); b <- c(0, m$beta); vb <- bldiag(0, m$vb); pairs <- combn(length(d$nodes), 2)
    for (k in seq_len(ncol(pairs))) { i <- pairs[2, k]; j <- pairs[1, k]
      effects[[length(effects) + 1]] <- data.frame(set = name, method, treatment1 = d$nodes[i], treatment0 = d$nodes[j], estimate = b[i] - b[j], se = sqrt(vb[i, i] + vb[j, j] - 2 * vb[i, j])) }
  }
  # Symmetrical side-splitting of the comparisons of at least two studies, where others connect the two.
  pairs <- combn(d$nodes, 2)
  for (k in seq_len(ncol(pairs))) {
    a <- pairs[2, k]; b <- pairs[1, k]; both <- sapply(strsplit(d$design, "|", fixed = TRUE), function(t) all(c(a, b) %in% t))
    if (length(unique(d$study[both])) < 2) next
    rest <- d$x[!both, , drop = FALSE]; row <- (d$nodes == a) - (d$nodes == b)
    if (!any(!both) || qr(rbind(rest, row))$rank > qr(rest)$rank) next
    extra <- both * (d$x[, a] - d$x[, b]) / 2; split_x <- cbind(x, omega = extra)
    for (method in c("FE", "REML")) {
      near <- if (method == "FE") 0 else metafor(d, split_x, NA)$tau2
      tau2 <- if (method == "FE") 0 else restricted(d, split_x, near)
      m <- metafor(d, split_x, tau2); v <- c(row[-1], 0); o <- c(rep(0, ncol(x)), 1); se <- function(z) sqrt(c(t(z) %*% m$vb %*% z))
      splits[[length(splits) + 1]] <- data.frame(set = name, method, treatment1 = a, treatment0 = b, tau2, indirect = c(v %*% m$beta), indirect_se = se(v),
        direct = c((v + o) %*% m$beta), direct_se = se(v + o), difference = m$beta[length(o)], difference_se = se(o))
    }
  }
}
packages <- c("metafor", "metadat")
pin(do.call(rbind, arms_out), "network_arms.csv", packages)
pin(do.call(rbind, data_out), "network_data.csv", packages)
pin(do.call(rbind, effects), "network.csv", packages)
pin(do.call(rbind, summaries), "network_summary.csv", packages)
pin(do.call(rbind, splits), "network_split.csv", packages)

# Conditional logistic regression, one row per patient.
sparse <- list(gurusamy2011 = with(dat.gurusamy2011, binary(study, treatment, death, n)), pagliaro1992 = with(dat.pagliaro1992, binary(study, trt, xi, ni)),
  woods2010 = with(dat.woods2010, binary(author, treatment, r, N)))
conditional <- lapply(names(sparse), function(name) {
  d <- sparse[[name]]; e <- d[rep(seq_len(nrow(d)), d$n), ]; e$event <- unlist(Map(function(x, n) rep(1:0, c(x, n - x)), d$events, d$n))
  e$trt <- factor(e$treatment, sort(unique(d$treatment), method = "radix")); if (name == "gurusamy2011") e$trt <- relevel(e$trt, "Control/Placebo")
  m <- suppressWarnings(clogit(event ~ trt + strata(study), data = e, method = "exact", control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 50)))
  keep <- !is.na(coef(m)) & abs(coef(m)) < 10
  data.frame(set = name, treatment1 = sub("^trt", "", names(coef(m)))[keep], treatment0 = levels(e$trt)[1], estimate = coef(m)[keep], se = sqrt(diag(vcov(m)))[keep])
})
pin(do.call(rbind, conditional), "conditional.csv", c("survival", "metadat"))
pin(do.call(rbind, Map(function(n, d) data.frame(set = n, d[c("study", "treatment", "events", "n")]), names(sparse), sparse)), "conditional_data.csv", c("metadat"))
