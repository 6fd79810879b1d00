/* Loaded in front of the C library: what is synced, renamed or removed in one folder waits for as long
 * as a file says so, as on a disk that hangs or is slow. Everything else is as it was.
 *
 * Each step of a write has a name: "file state.toml.new" is the sync of a file, "name state.toml" a
 * rename to that name, "gone state.toml" its removal, "folder state.toml" the sync of the folder behind
 * whichever of these two came last. HOLD_BELOW is the end of the folder's path, HOLD_IF the file: it
 * holds steps whose names begin with what stands in it, or all of them where that is nothing; where a
 * number stands there, every step takes so many milliseconds. Each step is written into HOLD_TRACE:
 * "waits" before it is held, and "done" once it is over. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GLANCE_US = 2000, NAME_BYTES = 256 };

/* The name that was given or taken last; one thread writes. */
static char changed[NAME_BYTES];

/* What the file says, of NAME_BYTES; none where there is no file. */
static int order(char *steps)
{
    const char *path = getenv("HOLD_IF");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    ssize_t bytes = read(file, steps, NAME_BYTES - 1);
    close(file);
    steps[bytes < 0 ? 0 : bytes] = '\0';
    return bytes >= 0;
}

/* Whether this step is held now. */
static int is_held(const char *step)
{
    char steps[NAME_BYTES];
    return order(steps) && !isdigit((unsigned char)*steps) &&
           strncmp(step, steps, strlen(steps)) == 0;
}

static void trace(const char *what, const char *step)
{
    const char *path = getenv("HOLD_TRACE");
    char line[2 * NAME_BYTES];
    int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (file < 0)
        return;
    int bytes = snprintf(line, sizeof line, "%s %s\n", what, step);
    if (write(file, line, bytes) != bytes)
        abort();
    close(file);
}

static void hold(const char *step)
{
    char steps[NAME_BYTES];
    if (order(steps) && isdigit((unsigned char)*steps))
        usleep(1000 * atoi(steps));
    if (is_held(step))
        trace("waits", step);
    while (is_held(step))
        usleep(GLANCE_US);
}

/* The part of a path behind the folder; the path must be in it, or be it. */
static const char *in_folder(const char *path)
{
    const char *folder = getenv("HOLD_BELOW");
    const char *found = folder && *folder ? strstr(path, folder) : NULL;
    if (!found)
        return NULL;
    const char *rest = found + strlen(folder);
    if (*rest == '\0')
        return "";
    return *rest == '/' ? rest + 1 : NULL;
}

static int name_of_sync(int file, char *step)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t bytes = readlink(link, path, sizeof path - 1);
    if (bytes < 0)
        return 0;
    path[bytes] = '\0';
    const char *name = in_folder(path);
    if (!name)
        return 0;
    snprintf(step, NAME_BYTES, "%s %s", *name ? "file" : "folder", *name ? name : changed);
    return 1;
}

static int sync_with(const char *function, int file)
{
    char step[NAME_BYTES];
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, function);
    if (!name_of_sync(file, step))
        return real(file);
    hold(step);
    int result = real(file);
    trace("done", step);
    return result;
}

int fsync(int file)
{
    return sync_with("fsync", file);
}

int fdatasync(int file)
{
    return sync_with("fdatasync", file);
}

int rename(const char *from, const char *to)
{
    char step[NAME_BYTES];
    int (*real)(const char *, const char *) =
        (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    const char *name = in_folder(to);
    if (!name || !*name)
        return real(from, to);
    snprintf(step, sizeof step, "name %s", name);
    hold(step);
    int result = real(from, to);
    snprintf(changed, sizeof changed, "%s", name);
    trace("done", step);
    return result;
}

int unlink(const char *path)
{
    char step[NAME_BYTES];
    int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    const char *name = in_folder(path);
    if (!name || !*name || access(path, F_OK) != 0)
        return real(path);
    snprintf(step, sizeof step, "gone %s", name);
    hold(step);
    int result = real(path);
    snprintf(changed, sizeof changed, "%s", name);
    trace("done", step);
    return result;
}
