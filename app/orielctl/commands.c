/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of commands: usage, options and examples, which --help, the man page and completion
 * show. */
#include <glib/gi18n-lib.h>

#include "orielctl.h"

static const struct option no_options[] = { { NULL } };

static const struct option create_options[] = {
    { "cdrom", "FILE", N_("put this ISO image into the CD drive") },
    { "disk", "SIZE|FILE", N_("make an empty disk of this size, or copy this disk image") },
    { "controller", "ahci|virtio|nvme", N_("how the guest reaches that disk") },
    { "memory", "SIZE",
      N_("such as 2G or 512 (MiB); default: what suits the system, otherwise 1G") },
    { "cpus", "N", N_("number of processors; default: what suits the system, otherwise 1") },
    { "firmware", "bios|uefi",
      N_("how it starts; default: what suits the system, otherwise bios") },
    { "kernel", "FILE", N_("start this Linux kernel directly") },
    { "initrd", "FILE", N_("with this initial RAM disk") },
    { "append", "TEXT", N_("and this kernel command line") },
    { "dir", "FOLDER", N_("keep the machine in this folder instead of the library’s") },
    { NULL },
};

static const struct option start_options[] = {
    { "paused", NULL, N_("make everything ready, but do not run yet") },
    { "discard-saved", NULL, N_("forget the saved state and start from power on") },
    { NULL },
};

static const struct option wait_options[] = {
    { "state", "STATE", N_("until the machine is stopped, saved, running, paused or crashed") },
    { "text", "REGEX", N_("until the text screen matches") },
    { "serial", "REGEX", N_("until what the guest wrote to its first serial port matches") },
    { "timeout", "SECONDS", N_("give up after so long (default: never)") },
    { NULL },
};

static const struct option delete_options[] = {
    { "permanently", NULL, N_("delete for good instead of moving to the trash") },
    { NULL },
};

static const struct option remove_options[] = {
    { "force", NULL, N_("out of a running machine also if its guest does not let go") },
    { NULL },
};

static const struct option eject_options[] = {
    { "force", NULL, N_("also when the guest has locked the drive") },
    { NULL },
};

static const struct option serial_options[] = {
    { "port", "N", N_("serial port, counted from 0 (default 0)") },
    { NULL },
};

static const struct option disk_options[] = {
    { "from", "FORMAT",
      N_("the image is raw, qcow2, vmdk, vdi, vhd or vhdx (default: by content)") },
    { "to", "FORMAT", N_("convert to qcow2, raw, vmdk, vhd or vhdx (default: by the new name)") },
    { "chain", NULL, N_("convert: also read the images of its folder that it builds on") },
    { "snapshot", "ID", N_("convert: this snapshot inside a qcow2 image") },
    { "compress", NULL, N_("convert to qcow2: compress with deflate") },
    { "zstd", NULL, N_("convert to qcow2: compress with zstd") },
    { "cluster-size", "SIZE", N_("convert to qcow2: 512 to 2M (default 64K)") },
    { "fixed", NULL, N_("convert to vhd or vhdx: all space allocated from the start") },
    { "shrink", NULL, N_("resize: also to a smaller size, losing what lies behind") },
    { "grow-partition", NULL, N_("resize: the last partition takes the new space") },
    { NULL },
};

static const struct option grow_options[] = {
    { "grow-partition", NULL, N_("the last partition takes the new space") },
    { NULL },
};

static const struct option import_options[] = {
    { "report", NULL, N_("only say what would be made, and show the licence") },
    { "name", "NAME", N_("call the machine so (default: as the appliance says)") },
    { "machine", "NAME", N_("this one of several machines in the appliance") },
    { "dir", "FOLDER", N_("keep the machine in this folder instead of the library’s") },
    { "disks", "FOLDER", N_("read files from there too that the description names elsewhere") },
    { "accept-licence", NULL, N_("accept the licence that the appliance shows") },
    { "ignore-manifest", NULL, N_("import it even if it differs from its manifest") },
    { NULL },
};

static const struct option try_options[] = {
    { "machine", "NAME", N_("this one of several machines in the appliance") },
    { "accept-licence", NULL, N_("accept the licence that the appliance shows") },
    { NULL },
};

static const struct option export_options[] = {
    { "profile", "vmware|virtualbox|proxmox|hyper-v", N_("who is to import it (default vmware)") },
    { "controller", "default|scsi|sata|ide", N_("to what the disks are attached there") },
    { "sha1", NULL, N_("checksums that old releases of VMware read") },
    { "estimate", NULL, N_("only say about how large it would be; FILE may be left out") },
    { "no-verify", NULL, N_("do not compare the result with the machine’s disks") },
    { "force", NULL, N_("replace an existing file") },
    { NULL },
};

static const struct option screenshot_options[] = {
    { "display", "NUMBER", N_("which display (default: 1)") },
    { NULL },
};

static const struct option network_options[] = {
    { "network", "CARD", N_("which network card (default: the first)") },
    { NULL },
};

static const struct option capture_options[] = {
    { "network", "CARD", N_("which network card (default: the first)") },
    { "stop", NULL, N_("end the capture") },
    { NULL },
};

#define COMMAND(name_, function_, arguments_, minimum_, maximum_, options_, summary_, examples_)   \
    static const struct command command_##function_ = { name_,     arguments_,     minimum_,       \
                                                        maximum_,  summary_,       options_,       \
                                                        examples_, run_##function_ }

COMMAND("create", create, "NAME", 1, 1, create_options, N_("Make a new machine."),
        "orielctl create Debian --cdrom debian.iso --disk 20G --memory 2G --cpus 2\n"
        "orielctl create Test --kernel vmlinuz --initrd initrd.gz --append console=ttyS0");
COMMAND(
    "identify", identify, "FILE", 1, 1, no_options,
    N_("Say what a file is, by its content: a CD and the system on it, a disk image, a machine."),
    "orielctl identify debian.iso\norielctl identify disk.img --json");
COMMAND("list", list, "", 0, 0, no_options, N_("List all machines and their states."),
        "orielctl list\norielctl list --json");
COMMAND("show", show, "NAME", 1, 1, no_options, N_("Show a machine’s settings."),
        "orielctl show Debian\norielctl show Debian --json");
COMMAND("set", set, "NAME KEY=VALUE...", 2, G_MAXUINT, no_options,
        N_("Change settings; a running machine takes them at its next start."),
        "orielctl set Debian memory=4G cpus=4\norielctl set Debian memory=512  (MiB)\n"
        "orielctl set Debian firmware=uefi\norielctl set Debian net0.link=down  (at once)\n"
        "orielctl set Debian disk0.bandwidth-limit=50M  (a second, at once)");
COMMAND("rename", rename, "NAME NEW-NAME", 2, 2, no_options,
        N_("Give a stopped machine another name."), "orielctl rename Debian Server");
COMMAND("clone", clone, "NAME NEW-NAME", 2, 2, no_options, N_("Copy a stopped machine."),
        "orielctl clone Debian \"Debian for tests\"");
COMMAND("delete", delete, "NAME", 1, 1, delete_options, N_("Move a stopped machine to the trash."),
        "orielctl delete Debian");
COMMAND("move", move, "NAME FOLDER", 2, 2, no_options,
        N_("Move a stopped machine into another folder, also on another disk."),
        "orielctl move Debian /media/me/Stick");
COMMAND("add-disk", add_disk, "NAME SIZE|FILE", 2, 2, no_options,
        N_("Add an empty disk of this size, or a copy of this disk image; to a running machine if "
           "it has hotplug."),
        "orielctl add-disk Debian 20G");
COMMAND("add-cdrom", add_cdrom, "NAME [FILE]", 1, 2, no_options,
        N_("Add a CD drive, empty or with this ISO image."),
        "orielctl add-cdrom Debian drivers.iso");
COMMAND("remove-drive", remove_drive, "NAME DRIVE", 2, 2, remove_options,
        N_("Take a drive out; a disk’s file goes to the trash. A running guest is asked first."),
        "orielctl remove-drive Debian disk1");
COMMAND("reorder", reorder, "NAME DRIVE...", 2, G_MAXUINT, no_options,
        N_("Put all drives into this order of ports."),
        "orielctl reorder Debian disk1 disk0 cdrom0");
COMMAND("grow", grow, "NAME DRIVE SIZE", 3, 3, grow_options,
        N_("Make a disk of a stopped machine larger."),
        "orielctl grow Debian disk0 40G\n"
        "orielctl grow Debian disk0 40G --grow-partition");
COMMAND("convert-disk", convert_disk, "NAME DRIVE raw|qcow2", 3, 3, no_options,
        N_("Keep a disk of a stopped machine in another format; the old file goes to the trash."),
        "orielctl convert-disk Debian disk0 raw");
COMMAND("undo", undo, "NAME", 1, 1, no_options, N_("Take back the last change of the settings."),
        "orielctl undo Debian");
COMMAND("revisions", revisions, "NAME", 1, 1, no_options,
        N_("List the settings that a machine had, and which worked last."),
        "orielctl revisions Debian");
COMMAND("restore", restore, "NAME REVISION|worked", 2, 2, no_options,
        N_("Go back to earlier settings, or to the last that worked."),
        "orielctl restore Debian 7\norielctl restore Debian worked");
COMMAND("disk", disk,
        "info|convert|check|repair|resize|compact|commit|delete-snapshot FILE [NEW-FILE|SIZE|ID]",
        2, 3, disk_options,
        N_("Look at, convert, check, repair, resize, compact and commit disk images."),
        "orielctl disk info disk.vmdk\n"
        "orielctl disk convert disk.vmdk disk.qcow2\n"
        "orielctl disk convert disk.qcow2 disk.vhdx --fixed\n"
        "orielctl disk check disk.qcow2\n"
        "orielctl disk resize disk.qcow2 +10G\n"
        "orielctl disk commit overlay.qcow2");
COMMAND("import", import, "FILE|FOLDER", 1, 1, import_options,
        N_("Make a machine of an OVA or OVF, of a machine of VMware, VirtualBox, libvirt, UTM, "
           "Quickemu or Hyper-V, of a Vagrant box, or of a disk image; packed or not."),
        "orielctl import appliance.ova --report\n"
        "orielctl import appliance.ova --name Server --accept-licence\n"
        "orielctl import server.xml --disks /var/lib/libvirt/images\n"
        "orielctl import debian-12-nocloud-amd64.qcow2 --name Debian");
COMMAND("try", try, "FILE|FOLDER", 1, 1, try_options,
        N_("Start an appliance as it is, without importing it. Nothing is kept of what it does; "
           "the command runs until it is stopped."),
        "orielctl try appliance.ova\n"
        "orielctl try debian-12-nocloud-amd64.qcow2");
COMMAND("export", export, "NAME [FILE.ova|FOLDER]", 1, 2, export_options,
        N_("Export a stopped machine as an appliance for other programs: an OVA, or a new folder "
           "with an OVF."),
        "orielctl export Debian debian.ova\n"
        "orielctl export Debian debian.ova --profile virtualbox\n"
        "orielctl export Windows windows-for-hyper-v --profile hyper-v");
COMMAND("start", start, "NAME", 1, 1, start_options,
        N_("Start a machine; a saved one goes on where it was."),
        "orielctl start Debian\norielctl start Debian --discard-saved");
COMMAND("save", save, "NAME", 1, 1, no_options,
        N_("Save the state of a running machine and end it; the next start goes on."),
        "orielctl save Debian && orielctl start Debian");
COMMAND("pause", pause, "NAME", 1, 1, no_options, N_("Let a running machine stand still."),
        "orielctl pause Debian");
COMMAND("resume", resume, "NAME", 1, 1, no_options, N_("Let a paused machine go on."),
        "orielctl resume Debian");
COMMAND("reset", reset, "NAME", 1, 1, no_options, N_("Restart a machine without asking its guest."),
        "orielctl reset Debian");
COMMAND("shutdown", shutdown, "NAME", 1, 1, no_options,
        N_("Press the power button: the guest is asked to shut down."),
        "orielctl shutdown Debian && orielctl wait Debian --state stopped --timeout 120");
COMMAND("stop", stop, "NAME", 1, 1, no_options, N_("Turn a machine off at once."),
        "orielctl stop Debian");
COMMAND("kill", kill, "NAME", 1, 1, no_options,
        N_("End the engine of a machine that does not answer any more."), "orielctl kill Debian");
COMMAND("wait", wait, "NAME", 1, 1, wait_options,
        N_("Wait for a state, a text on the screen, or an output on the serial port."),
        "orielctl wait Debian --text 'login:' --timeout 300\n"
        "orielctl wait Debian --state stopped");
COMMAND("screenshot", screenshot, "NAME FILE.png", 2, 2, screenshot_options,
        N_("Save the picture of the screen."),
        "orielctl screenshot Debian screen.png\n"
        "orielctl screenshot Debian second.png --display 2");
COMMAND("display", display, "NAME [NUMBER [WIDTHxHEIGHT|on|off]]", 1, 3, no_options,
        N_("List a running machine’s displays, plug one in or out, or ask the guest for a size."),
        "orielctl display Debian 1 1280x720\n"
        "orielctl display Debian 2 on");
COMMAND("text", text, "NAME", 1, 1, no_options, N_("Print the characters of a text screen."),
        "orielctl text Debian");
COMMAND("type", type, "NAME TEXT", 2, 2, no_options,
        N_("Type text on a US keyboard; \\n is Enter, \\t is Tab, \\\\ is a backslash."),
        "orielctl type Debian 'root\\n'");
COMMAND("key", key, "NAME CHORD...", 2, G_MAXUINT, no_options,
        N_("Press keys, or several together."),
        "orielctl key Debian ctrl+alt+delete\norielctl key Debian down down enter");
COMMAND("serial", serial, "NAME", 1, 1, serial_options,
        N_("Connect this terminal to a serial port; Ctrl+] leaves."),
        "orielctl serial Debian\necho uptime | orielctl serial Debian");
COMMAND("insert", insert, "NAME FILE", 2, 2, no_options, N_("Put an ISO image into the CD drive."),
        "orielctl insert Debian drivers.iso");
COMMAND("eject", eject, "NAME", 1, 1, eject_options, N_("Take the medium out of the CD drive."),
        "orielctl eject Debian");
COMMAND("balloon", balloon, "NAME SIZE", 2, 2, no_options,
        N_("Ask the guest to give memory back to this computer; 0 leaves it all."),
        "orielctl balloon Debian 512M\norielctl balloon Debian 0");
COMMAND("add-network", add_network, "NAME", 1, 1, no_options,
        N_("Add a network card; to a running machine if it has hotplug."),
        "orielctl add-network Debian");
COMMAND("remove-network", remove_network, "NAME CARD", 2, 2, remove_options,
        N_("Take a network card out. A running guest is asked first."),
        "orielctl remove-network Debian net1");
COMMAND("forward", forward, "NAME add|remove|list [FORWARD]", 2, 3, network_options,
        N_("Let ports of this computer lead to the guest, at once and from now on."),
        "orielctl forward Debian add tcp:2222:22\n"
        "orielctl forward Debian remove tcp:2222:22\n"
        "orielctl forward Debian list");
COMMAND("connections", connections, "NAME", 1, 1, network_options,
        N_("List whom the guest talks to, the latest first."), "orielctl connections Debian");
COMMAND("capture", capture, "NAME [FILE]", 1, 2, capture_options,
        N_("Write what goes through the network card to a pcapng file, until --stop."),
        "orielctl capture Debian network.pcapng\norielctl capture Debian --stop");
COMMAND("limit", limit, "NAME TO-GUEST FROM-GUEST", 3, 3, network_options,
        N_("Limit the network of a running machine to bytes a second; 0 is no limit."),
        "orielctl limit Debian 1M 256K\norielctl limit Debian 0 0");
COMMAND("stats", stats, "NAME", 1, 1, no_options, N_("Print counters of a running machine."),
        "orielctl stats Debian");
COMMAND("log", log, "NAME", 1, 1, no_options, N_("Print the log of a machine’s engine."),
        "orielctl log Debian");
COMMAND("vnc", vnc, "NAME", 1, 1, no_options, N_("Print where VNC viewers find the screen."),
        "gvncviewer \"$(orielctl vnc Debian | head -n 1)\"");
COMMAND("check-host", check_host, "", 0, 0, no_options,
        N_("Say what this computer lacks to run machines well."), "orielctl check-host");

static const struct command *const machines_commands[] = {
    &command_create, &command_identify, &command_list,   &command_show, &command_set,
    &command_rename, &command_clone,    &command_delete, &command_move, NULL,
};

static const struct command *const running_commands[] = {
    &command_start, &command_save,     &command_pause, &command_resume,
    &command_reset, &command_shutdown, &command_stop,  &command_kill,
    &command_wait,  &command_balloon,  NULL,
};

static const struct command *const screen_commands[] = {
    &command_screenshot, &command_display, &command_text,  &command_type, &command_key,
    &command_serial,     &command_insert,  &command_eject, &command_vnc,  NULL,
};

static const struct command *const drives_commands[] = {
    &command_add_disk,
    &command_add_cdrom,
    &command_remove_drive,
    &command_reorder,
    &command_grow,
    &command_convert_disk,
    NULL,
};

static const struct command *const network_commands[] = {
    &command_add_network,
    &command_remove_network,
    &command_forward,
    &command_connections,
    &command_capture,
    &command_limit,
    NULL,
};

static const struct command *const settings_commands[] = {
    &command_undo,
    &command_revisions,
    &command_restore,
    NULL,
};

static const struct command *const images_commands[] = {
    &command_disk,
    NULL,
};

static const struct command *const appliances_commands[] = {
    &command_import,
    &command_try,
    &command_export,
    NULL,
};

static const struct command *const finding_commands[] = {
    &command_stats,
    &command_log,
    &command_check_host,
    NULL,
};

const struct command_group command_groups[] = {
    { N_("Machines:"), machines_commands },
    { N_("Running:"), running_commands },
    { N_("Screen, keys, media:"), screen_commands },
    { N_("Drives:"), drives_commands },
    { N_("Network:"), network_commands },
    { N_("Earlier settings:"), settings_commands },
    { N_("Disk images:"), images_commands },
    { N_("Appliances:"), appliances_commands },
    { N_("Finding out:"), finding_commands },
    { NULL, NULL },
};
