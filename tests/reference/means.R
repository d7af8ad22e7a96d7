source("common.R")
library(jsonlite)

sets <- list(
  plants = PlantGrowth[c("weight", "group")], sprays = setNames(InsectSprays[c("count", "spray")], c("weight", "group")),
  chicks = setNames(chickwts[c("weight", "feed")], c("weight", "group")), sepals = setNames(iris[c("Sepal.Width", "Species")], c("weight", "group")),
  sleep = setNames(sleep[c("extra", "group")], c("weight", "group")), ozone = setNames(na.omit(airquality[c("Ozone", "Month")]), c("weight", "group")))
results <- lapply(sets, function(d) {
  d$group <- factor(d$group); parts <- split(d$weight, d$group); f <- oneway.test(weight ~ group, d, var.equal = TRUE)
  s <- summary(aov(weight ~ group, d))[[1]]
  pair <- function(equal) {
    t <- t.test(parts[[1]], parts[[2]], var.equal = equal); u <- t.test(parts[[1]], parts[[2]], var.equal = equal, conf.level = 0.9)
    list(t = unname(t$statistic), df = unname(t$parameter), p = t$p.value, low = t$conf.int[1], high = t$conf.int[2], low90 = u$conf.int[1], high90 = u$conf.int[2])
  }
  list(mean = unname(sapply(parts, mean)), sd = unname(sapply(parts, sd)), n = unname(sapply(parts, length)), f = unname(f$statistic), f_aov = s[["F value"]][1],
    df = unname(f$parameter), p = f$p.value, student = pair(TRUE), welch = pair(FALSE))
})
p <- list(c(0.01, 0.04, 0.03), c(0.001, 0.2, 0.049, 0.05, 0.0001, 1), c(0.5), c(0.02, 0.02, 0.02))
holm <- lapply(p, function(x) list(p = I(x), adjusted = I(p.adjust(x, "holm"))))
writeLines(toJSON(list(versions = versions("jsonlite"), sets = results, holm = holm), digits = NA, auto_unbox = TRUE), "means.json")
