// SPDX-License-Identifier: GPL-2.0

#include <linux/idr.h>

__rust_helper void rust_helper_idr_init(struct idr *idr)
{
	idr_init(idr);
}
